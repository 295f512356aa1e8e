# SPDX-License-Identifier: MIT
# Completion of muster-sidecar for bash. Commands and options are taken from its own --help.

_muster_sidecar() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local words=''
	case $before in
	-c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
	--run-dir | --proc-root | --cgroup-root) mapfile -t COMPREPLY < <(compgen -d -- "$word") && return ;;
	esac
	if [[ $word = -* ]]; then
		words=$("$program" --help | grep -oE -- '--[a-z][a-z-]*' | sort -u)
	elif ((COMP_CWORD == 1)); then
		words=$("$program" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _muster_sidecar muster-sidecar
