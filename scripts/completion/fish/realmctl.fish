# fish completion for realmctl
# Written by 'make completion' from the program's own usage.

# Whether the commands on the line so far are exactly these.
function __realmctl_at
    set -l commands
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --config --digits --file --step --trial --users -c -f -u
                set skip 1
            case check confirm disable enable expire fix list set show tfa undo unset users
                set -a commands $word
        end
    end
    test "$commands" = "$argv"
end

complete -c realmctl -n '__realmctl_at' -f
complete -c realmctl -n '__realmctl_at' -a list -d 'show all realms as the reader of the file sees them'
complete -c realmctl -n '__realmctl_at' -a show -d 'show one realm with its properties'
complete -c realmctl -n '__realmctl_at' -a users -d 'show the accounts of the user file, never a key'
complete -c realmctl -n '__realmctl_at' -a check -d 'name every line that does not do what it seems to say'
complete -c realmctl -n '__realmctl_at' -a tfa -d 'require a second factor in a realm, or stop requiring it'
complete -c realmctl -n '__realmctl_at' -a confirm -d 'keep the second factor that is on trial'
complete -c realmctl -n '__realmctl_at' -a set -d 'give a realm a property'
complete -c realmctl -n '__realmctl_at' -a unset -d 'take a property from a realm'
complete -c realmctl -n '__realmctl_at' -a fix -d 'mend what is read otherwise than it is meant, where it can only be meant in one way'
complete -c realmctl -n '__realmctl_at' -a undo -d 'put back what the last edit replaced; twice is redo'
complete -c realmctl -n '__realmctl_at' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at list' -f
complete -c realmctl -n '__realmctl_at list' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at list' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at list' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at list' -l json -d 'print a JSON object'
complete -c realmctl -n '__realmctl_at list' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at list' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at show' -f
complete -c realmctl -n '__realmctl_at show' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at show' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at show' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at show' -l json -d 'print a JSON object'
complete -c realmctl -n '__realmctl_at show' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at show' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at users' -f
complete -c realmctl -n '__realmctl_at users' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at users' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at users' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at users' -l json -d 'print a JSON object'
complete -c realmctl -n '__realmctl_at users' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at users' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at check' -f
complete -c realmctl -n '__realmctl_at check' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at check' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at check' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at check' -l json -d 'print a JSON object'
complete -c realmctl -n '__realmctl_at check' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at check' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at tfa' -f
complete -c realmctl -n '__realmctl_at tfa' -a enable -d 'require a second factor, once everybody in the realm has one'
complete -c realmctl -n '__realmctl_at tfa' -a disable -d 'require no second factor; works on a broken file'
complete -c realmctl -n '__realmctl_at tfa' -a expire -d 'end a trial whose time is over, as the process that --trial leaves and systemd do'
complete -c realmctl -n '__realmctl_at tfa' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at tfa' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at tfa' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at tfa' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at tfa' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at tfa enable' -f
complete -c realmctl -n '__realmctl_at tfa enable' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at tfa enable' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at tfa enable' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at tfa enable' -l digits -x -d 'digits of a code, 6 to 8 (default: as it is, else 6)'
complete -c realmctl -n '__realmctl_at tfa enable' -l step -x -d 'how many seconds a code lasts, 10 to 3600 (default: as it is, else 30)'
complete -c realmctl -n '__realmctl_at tfa enable' -l trial -x -d 'turn it off again after this time, such as 10m, unless it is confirmed before'
complete -c realmctl -n '__realmctl_at tfa enable' -l json -d 'print who would be locked out, who not, and the change as a JSON object'
complete -c realmctl -n '__realmctl_at tfa enable' -l lock-out-anyway -d 'do not look who has no second factor and would be locked out'
complete -c realmctl -n '__realmctl_at tfa enable' -s n -l dry-run -d 'print the change as a unified diff and write nothing'
complete -c realmctl -n '__realmctl_at tfa enable' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at tfa enable' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at tfa disable' -f
complete -c realmctl -n '__realmctl_at tfa disable' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at tfa disable' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at tfa disable' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at tfa disable' -l all -d 'in every realm'
complete -c realmctl -n '__realmctl_at tfa disable' -s n -l dry-run -d 'print the change as a unified diff and write nothing'
complete -c realmctl -n '__realmctl_at tfa disable' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at tfa disable' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at tfa expire' -f
complete -c realmctl -n '__realmctl_at tfa expire' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at tfa expire' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at tfa expire' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at tfa expire' -l wait -d 'wait for the end of the trial'
complete -c realmctl -n '__realmctl_at tfa expire' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at tfa expire' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at confirm' -f
complete -c realmctl -n '__realmctl_at confirm' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at confirm' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at confirm' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at confirm' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at confirm' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at set' -f
complete -c realmctl -n '__realmctl_at set' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at set' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at set' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at set' -l lock-out-anyway -d 'do not look who has no second factor and would be locked out'
complete -c realmctl -n '__realmctl_at set' -s n -l dry-run -d 'print the change as a unified diff and write nothing'
complete -c realmctl -n '__realmctl_at set' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at set' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at unset' -f
complete -c realmctl -n '__realmctl_at unset' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at unset' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at unset' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at unset' -s n -l dry-run -d 'print the change as a unified diff and write nothing'
complete -c realmctl -n '__realmctl_at unset' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at unset' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at fix' -f
complete -c realmctl -n '__realmctl_at fix' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at fix' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at fix' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at fix' -l let-in-anyway -d 'mend also what makes a realm ask nobody any more'
complete -c realmctl -n '__realmctl_at fix' -l lock-out-anyway -d 'do not look who has no second factor and would be locked out'
complete -c realmctl -n '__realmctl_at fix' -s n -l dry-run -d 'print the change as a unified diff and write nothing'
complete -c realmctl -n '__realmctl_at fix' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at fix' -l version -d 'show the version and exit'
complete -c realmctl -n '__realmctl_at undo' -f
complete -c realmctl -n '__realmctl_at undo' -s f -l file -r -F -d 'the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)'
complete -c realmctl -n '__realmctl_at undo' -s u -l users -r -F -d 'the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)'
complete -c realmctl -n '__realmctl_at undo' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c realmctl -n '__realmctl_at undo' -s n -l dry-run -d 'print the change as a unified diff and write nothing'
complete -c realmctl -n '__realmctl_at undo' -s h -l help -d 'show this help and exit'
complete -c realmctl -n '__realmctl_at undo' -l version -d 'show the version and exit'
