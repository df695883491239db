# fish completion for oath-duo
# Written by 'make completion' from the program's own usage.

# Whether the commands on the line so far are exactly these.
function __oath_duo_at
    set -l commands
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --config -c
                set skip 1
        end
    end
    test "$commands" = "$argv"
end

complete -c oath-duo -n '__oath_duo_at' -f
complete -c oath-duo -n '__oath_duo_at' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c oath-duo -n '__oath_duo_at' -l check -d 'say whether host, keys and clock are right, and do no login'
complete -c oath-duo -n '__oath_duo_at' -s h -l help -d 'show this help and exit'
complete -c oath-duo -n '__oath_duo_at' -l version -d 'show the version and exit'
