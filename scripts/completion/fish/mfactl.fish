# fish completion for mfactl
# Written by 'make completion' from the program's own usage.

# Whether the commands on the line so far are exactly these.
function __mfactl_at
    set -l commands
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --algorithm --config --counter --digits --issuer --label --period --realm --type -c
                set skip 1
            case add disable enable list ready remove show unlock
                set -a commands $word
        end
    end
    test "$commands" = "$argv"
end

complete -c mfactl -n '__mfactl_at' -f
complete -c mfactl -n '__mfactl_at' -a enable -d 'make a key for a user who has none, and show it'
complete -c mfactl -n '__mfactl_at' -a add -d 'add a key that exists already'
complete -c mfactl -n '__mfactl_at' -a list -d 'show the credentials of all users'
complete -c mfactl -n '__mfactl_at' -a show -d 'show one user, never the key'
complete -c mfactl -n '__mfactl_at' -a disable -d 'remove a user\'s record with all credentials'
complete -c mfactl -n '__mfactl_at' -a remove -d 'remove one credential of a user'
complete -c mfactl -n '__mfactl_at' -a unlock -d 'forget failed tries; rebuild a lost state'
complete -c mfactl -n '__mfactl_at' -a ready -d 'show who has a usable factor'
complete -c mfactl -n '__mfactl_at' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at enable' -f
complete -c mfactl -n '__mfactl_at enable' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at enable' -l json -d 'print the credential as JSON'
complete -c mfactl -n '__mfactl_at enable' -l type -x -d 'totp (codes follow the clock, the default) or hotp (a counter)'
complete -c mfactl -n '__mfactl_at enable' -l label -x -d 'what the credential is called in lists'
complete -c mfactl -n '__mfactl_at enable' -l digits -x -d 'digits of a code, 6 to 10 (default: the realm\'s, else the configuration\'s)'
complete -c mfactl -n '__mfactl_at enable' -l period -x -d 'how long a totp code lasts (default: the realm\'s, else the configuration\'s)'
complete -c mfactl -n '__mfactl_at enable' -l algorithm -x -a 'SHA1 SHA256 SHA512' -d 'SHA1, SHA256 or SHA512 (default: the configuration\'s)'
complete -c mfactl -n '__mfactl_at enable' -l issuer -x -d 'the site\'s name in the user\'s app (default: the configuration\'s, else the host\'s)'
complete -c mfactl -n '__mfactl_at enable' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at enable' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at add' -f
complete -c mfactl -n '__mfactl_at add' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at add' -l json -d 'print the credential as JSON, without its key'
complete -c mfactl -n '__mfactl_at add' -l type -x -d 'totp (codes follow the clock, the default) or hotp (a counter)'
complete -c mfactl -n '__mfactl_at add' -l label -x -d 'what the credential is called in lists'
complete -c mfactl -n '__mfactl_at add' -l digits -x -d 'digits of a code, 6 to 10 (default: the realm\'s, else the configuration\'s)'
complete -c mfactl -n '__mfactl_at add' -l period -x -d 'how long a totp code lasts (default: the realm\'s, else the configuration\'s)'
complete -c mfactl -n '__mfactl_at add' -l algorithm -x -a 'SHA1 SHA256 SHA512' -d 'SHA1, SHA256 or SHA512 (default: the configuration\'s)'
complete -c mfactl -n '__mfactl_at add' -l counter -x -d 'the next counter of a hotp token (default 0)'
complete -c mfactl -n '__mfactl_at add' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at add' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at list' -f
complete -c mfactl -n '__mfactl_at list' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at list' -l json -d 'print a JSON array'
complete -c mfactl -n '__mfactl_at list' -l show-keys -d 'show the keys, too'
complete -c mfactl -n '__mfactl_at list' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at list' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at show' -f
complete -c mfactl -n '__mfactl_at show' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at show' -l json -d 'print a JSON object'
complete -c mfactl -n '__mfactl_at show' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at show' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at disable' -f
complete -c mfactl -n '__mfactl_at disable' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at disable' -l lock-out-anyway -d 'do it although the user is locked out then'
complete -c mfactl -n '__mfactl_at disable' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at disable' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at remove' -f
complete -c mfactl -n '__mfactl_at remove' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at remove' -l lock-out-anyway -d 'do it although the user is locked out then'
complete -c mfactl -n '__mfactl_at remove' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at remove' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at unlock' -f
complete -c mfactl -n '__mfactl_at unlock' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at unlock' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at unlock' -l version -d 'show the version and exit'
complete -c mfactl -n '__mfactl_at ready' -f
complete -c mfactl -n '__mfactl_at ready' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c mfactl -n '__mfactl_at ready' -l json -d 'print a JSON object'
complete -c mfactl -n '__mfactl_at ready' -l realm -x -d 'only the users of this realm'
complete -c mfactl -n '__mfactl_at ready' -s h -l help -d 'show this help and exit'
complete -c mfactl -n '__mfactl_at ready' -l version -d 'show the version and exit'
