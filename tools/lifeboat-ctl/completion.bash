# SPDX-License-Identifier: BSD-2-Clause
# bash completion for lifeboat-ctl. In zsh: autoload -U bashcompinit && bashcompinit.
_lifeboat_ctl() {
    local word=${COMP_WORDS[COMP_CWORD]}
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        --devicetree) COMPREPLY=($(compgen -d -- "$word")) ;;
        --mem) COMPREPLY=($(compgen -f -- "$word")) ;;
        log) COMPREPLY=($(compgen -W "--previous --dead" -- "$word")) ;;
        *) COMPREPLY=($(compgen -W "status disarm arm confirm retry log --devicetree --mem --help --version" -- "$word")) ;;
    esac
}
complete -F _lifeboat_ctl lifeboat-ctl
