# SPDX-License-Identifier: MIT
# Completion of muster-init for bash. Options are taken from its own --help; behind the program that it is
# to wrap, that program's words are completed.

_muster_init() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--) ((i++)) && break ;;
		-[cepr] | --config | --remap-exit | --parent-death-signal | --rewrite) ((i++)) ;;
		--grace | --user | --groups | --cap-* | --seccomp | --rlimit | --umask | --chdir | --env-file | --secrets) ((i++)) ;;
		-*) ;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)) && declare -F _command_offset >/dev/null; then
		_command_offset "$i"
		return
	fi
	case $before in
	-c | --config | --env-file | --seccomp) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
	--chdir | --secrets) mapfile -t COMPREPLY < <(compgen -d -- "$word") && return ;;
	--user) mapfile -t COMPREPLY < <(compgen -u -- "$word") && return ;;
	--groups) mapfile -t COMPREPLY < <(compgen -g -- "$word") && return ;;
	-p | --parent-death-signal) mapfile -t COMPREPLY < <(compgen -A signal -- "$word") && return ;;
	esac
	if [[ $word = -* ]] && ((i == COMP_CWORD)); then
		mapfile -t COMPREPLY < <(compgen -W "$("$program" --help | grep -oE -- '--[a-z][a-z-]*' | sort -u)" -- "$word")
	elif ((i == COMP_CWORD)); then
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -F _muster_init muster-init
