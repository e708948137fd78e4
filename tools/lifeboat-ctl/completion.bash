# SPDX-License-Identifier: BSD-2-Clause
# bash completion for lifeboat-ctl. In zsh: autoload -U bashcompinit && bashcompinit.
_lifeboat_ctl() {
    local word=${COMP_WORDS[COMP_CWORD]}
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        --devicetree | --root) COMPREPLY=($(compgen -d -- "$word")) ;;
        --mem | load) COMPREPLY=($(compgen -f -- "$word")) ;;
        test) COMPREPLY=($(compgen -W "--report" -- "$word")) ;;
        log) COMPREPLY=($(compgen -W "--previous --dead" -- "$word")) ;;
        *) COMPREPLY=($(compgen -W "status load unload disarm arm confirm retry log test --devicetree --mem --test --root --help --version" -- "$word")) ;;
    esac
}
complete -F _lifeboat_ctl lifeboat-ctl
