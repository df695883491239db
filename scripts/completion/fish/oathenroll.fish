# fish completion for oathenroll
# Written by 'make completion' from the program's own usage.

# Whether the commands on the line so far are exactly these.
function __oathenroll_at
    set -l commands
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --adapt --config --phone --save --scan --show-key --user -c -u
                set skip 1
            case codes get-token mk rm verify
                set -a commands $word
        end
    end
    test "$commands" = "$argv"
end

complete -c oathenroll -n '__oathenroll_at' -f
complete -c oathenroll -n '__oathenroll_at' -a mk -d 'enrol: make a factor and prove it'
complete -c oathenroll -n '__oathenroll_at' -a verify -d 'check the enrolment: is this code right?'
complete -c oathenroll -n '__oathenroll_at' -a rm -d 'disable what there is, with a token that is mailed'
complete -c oathenroll -n '__oathenroll_at' -a get-token -d 'have a code sent by e-mail or SMS'
complete -c oathenroll -n '__oathenroll_at' -a codes -d 'make new recovery codes; the old ones are void'
complete -c oathenroll -n '__oathenroll_at' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml); not under sudo'
complete -c oathenroll -n '__oathenroll_at' -s u -l user -x -d 'who is enrolled: NAME@REALM, or NAME in the default realm; not under sudo'
complete -c oathenroll -n '__oathenroll_at' -l batch -d 'ask nothing: secrets are lines of standard input, in the order of the questions'
complete -c oathenroll -n '__oathenroll_at' -s h -l help -d 'show this help and exit'
complete -c oathenroll -n '__oathenroll_at' -l version -d 'show the version and exit'
complete -c oathenroll -n '__oathenroll_at mk' -f
complete -c oathenroll -n '__oathenroll_at mk' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml); not under sudo'
complete -c oathenroll -n '__oathenroll_at mk' -s u -l user -x -d 'who is enrolled: NAME@REALM, or NAME in the default realm; not under sudo'
complete -c oathenroll -n '__oathenroll_at mk' -l batch -d 'ask nothing: secrets are lines of standard input, in the order of the questions'
complete -c oathenroll -n '__oathenroll_at mk' -l phone -x -d 'phone number to receive SMS'
complete -c oathenroll -n '__oathenroll_at mk' -l scan -x -a 'y n' -d 'answer to: do you have a phone to scan a QR code?'
complete -c oathenroll -n '__oathenroll_at mk' -l show-key -x -a 'y n' -d 'answer to: display the security key?'
complete -c oathenroll -n '__oathenroll_at mk' -l adapt -x -a 'y n' -d 'answer to: store what the app does? (asked if it ignores algorithm or digits)'
complete -c oathenroll -n '__oathenroll_at mk' -l save -x -a 'y n' -d 'answer to: save the codes into a text file?'
complete -c oathenroll -n '__oathenroll_at mk' -s h -l help -d 'show this help and exit'
complete -c oathenroll -n '__oathenroll_at mk' -l version -d 'show the version and exit'
complete -c oathenroll -n '__oathenroll_at verify' -f
complete -c oathenroll -n '__oathenroll_at verify' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml); not under sudo'
complete -c oathenroll -n '__oathenroll_at verify' -s u -l user -x -d 'who is enrolled: NAME@REALM, or NAME in the default realm; not under sudo'
complete -c oathenroll -n '__oathenroll_at verify' -l batch -d 'ask nothing: secrets are lines of standard input, in the order of the questions'
complete -c oathenroll -n '__oathenroll_at verify' -s h -l help -d 'show this help and exit'
complete -c oathenroll -n '__oathenroll_at verify' -l version -d 'show the version and exit'
complete -c oathenroll -n '__oathenroll_at rm' -f
complete -c oathenroll -n '__oathenroll_at rm' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml); not under sudo'
complete -c oathenroll -n '__oathenroll_at rm' -s u -l user -x -d 'who is enrolled: NAME@REALM, or NAME in the default realm; not under sudo'
complete -c oathenroll -n '__oathenroll_at rm' -l batch -d 'ask nothing: secrets are lines of standard input, in the order of the questions'
complete -c oathenroll -n '__oathenroll_at rm' -s h -l help -d 'show this help and exit'
complete -c oathenroll -n '__oathenroll_at rm' -l version -d 'show the version and exit'
complete -c oathenroll -n '__oathenroll_at get-token' -f
complete -c oathenroll -n '__oathenroll_at get-token' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml); not under sudo'
complete -c oathenroll -n '__oathenroll_at get-token' -s u -l user -x -d 'who is enrolled: NAME@REALM, or NAME in the default realm; not under sudo'
complete -c oathenroll -n '__oathenroll_at get-token' -l batch -d 'ask nothing: secrets are lines of standard input, in the order of the questions'
complete -c oathenroll -n '__oathenroll_at get-token' -s h -l help -d 'show this help and exit'
complete -c oathenroll -n '__oathenroll_at get-token' -l version -d 'show the version and exit'
complete -c oathenroll -n '__oathenroll_at codes' -f
complete -c oathenroll -n '__oathenroll_at codes' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml); not under sudo'
complete -c oathenroll -n '__oathenroll_at codes' -s u -l user -x -d 'who is enrolled: NAME@REALM, or NAME in the default realm; not under sudo'
complete -c oathenroll -n '__oathenroll_at codes' -l batch -d 'ask nothing: secrets are lines of standard input, in the order of the questions'
complete -c oathenroll -n '__oathenroll_at codes' -l save -x -a 'y n' -d 'answer to: save the codes into a text file?'
complete -c oathenroll -n '__oathenroll_at codes' -s h -l help -d 'show this help and exit'
complete -c oathenroll -n '__oathenroll_at codes' -l version -d 'show the version and exit'
