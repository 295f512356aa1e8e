# SPDX-License-Identifier: MIT
# Completion of musterctl for bash. Verbs, options and names are asked of musterctl itself, so that
# this file knows none of them and needs no change when they do.

_musterctl_names() {
	"$1" status 2>/dev/null | awk 'found { print $1 } $1 == "NAME" { found = 1 }'
}

_musterctl() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local verb='' i words=''
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--run-dir | -c | --config) ((i++)) ;;
		-*) ;;
		*) verb=${COMP_WORDS[i]} && break ;;
		esac
	done
	case $before in
	--run-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word") && return ;;
	-c | --config | -o | --output) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
	--format) [[ $verb = graph ]] && words='text dot mermaid' || words='text json svg' ;;
	--mode) words='development testing container kubernetes production' ;;
	--from) words='supervisord procfile compose' ;;
	*)
		if [[ -z $verb ]]; then
			words=$("$program" --help | awk '/^  [a-z]+ / { print $1 }')
			words+=' --run-dir --config --no-color --help --version'
		elif [[ $word = -* ]]; then
			words=$("$program" "$verb" --help | sed 1q | grep -oE -- '--?[a-z][a-z-]*')
		else
			case $verb in
			check | convert | scan) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
			status | start | stop | restart | signal | wait | logs | events | security)
				words=$(_musterctl_names "$program")
				;;
			esac
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _musterctl musterctl
