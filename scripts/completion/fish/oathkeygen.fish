# fish completion for oathkeygen
# Written by 'make completion' from the program's own usage.

# Whether the commands on the line so far are exactly these.
function __oathkeygen_at
    set -l commands
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --bits --config --count --format -b -c -f -n
                set skip 1
        end
    end
    test "$commands" = "$argv"
end

complete -c oathkeygen -n '__oathkeygen_at' -f
complete -c oathkeygen -n '__oathkeygen_at' -s b -l bits -x -d 'length of a key, 128 to 1024 (default 160)'
complete -c oathkeygen -n '__oathkeygen_at' -s n -l count -x -d 'number of keys, 1 to 1000000000 (default 1)'
complete -c oathkeygen -n '__oathkeygen_at' -s f -l format -x -a 'base32 hex pve' -d 'base32, hex or pve (default base32)'
complete -c oathkeygen -n '__oathkeygen_at' -s c -l config -r -F -d 'configuration (default /etc/oathkit/oathkit.toml)'
complete -c oathkeygen -n '__oathkeygen_at' -s h -l help -d 'show this help and exit'
complete -c oathkeygen -n '__oathkeygen_at' -l version -d 'show the version and exit'
