# fish completion for oathverify
# Written by 'make completion' from the program's own usage.

# Whether the commands on the line so far are exactly these.
function __oathverify_at
    set -l commands
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --algorithm --config --connection --digits --hotp --key-file --method --prompt --realm --request --rhost --root --service --shell --sshd --step --time --window -c -d -k -m -s -w
                set skip 1
            case checkpassword converse doctor openvpn pam pipe radius shell squid
                set -a commands $word
        end
    end
    test "$commands" = "$argv"
end

complete -c oathverify -n '__oathverify_at' -f
complete -c oathverify -n '__oathverify_at' -a checkpassword -d 'judge a login as checkpassword does, and become PROGRAM: Dovecot, qmail'
complete -c oathverify -n '__oathverify_at' -a converse -d 'ask a person through a host that speaks the protocol of this hook'
complete -c oathverify -n '__oathverify_at' -a openvpn -d 'judge a login of OpenVPN: auth-user-pass-verify with via-file'
complete -c oathverify -n '__oathverify_at' -a pam -d 'judge a login for pam_exec'
complete -c oathverify -n '__oathverify_at' -a pipe -d 'judge a user and a secret on two lines: Apache\'s mod_authnz_external'
complete -c oathverify -n '__oathverify_at' -a radius -d 'judge a login of FreeRADIUS: rlm_exec'
complete -c oathverify -n '__oathverify_at' -a shell -d 'ask for a code, and become the user\'s shell or command'
complete -c oathverify -n '__oathverify_at' -a squid -d 'judge logins of squid, a line each, until there are no more: auth_param basic'
complete -c oathverify -n '__oathverify_at' -a doctor -d 'say whether a login of a PAM service can go around the code'
complete -c oathverify -n '__oathverify_at' -s c -l config -r -F -d 'the configuration (default /etc/oathkit/oathkit.toml)'
complete -c oathverify -n '__oathverify_at' -l realm -x -d 'the realm of a USER that names none'
complete -c oathverify -n '__oathverify_at' -l service -x -d 'the program that asks, for the audit log'
complete -c oathverify -n '__oathverify_at' -l rhost -x -d 'where the person is, for the audit log'
complete -c oathverify -n '__oathverify_at' -l json -d 'print the verdict as JSON'
complete -c oathverify -n '__oathverify_at' -l explain -d 'tell root why, besides judging the code'
complete -c oathverify -n '__oathverify_at' -l enrol -d 'print the QR code of a user who is enabled and has not given a right code yet'
complete -c oathverify -n '__oathverify_at' -l method -x -d 'passcode (judge a code, the default), push or phone (by Duo), email or sms (send a code, and answer no)'
complete -c oathverify -n '__oathverify_at' -l request -x -d 'json: standard input is an object with password, passcode and method, and the verdict is one, too'
complete -c oathverify -n '__oathverify_at' -s k -l key-file -r -F -d 'judge against the keys or key URIs in FILE, without a store'
complete -c oathverify -n '__oathverify_at' -s d -l digits -x -d 'with -k: digits of a code, 6 to 10 (default 6)'
complete -c oathverify -n '__oathverify_at' -s s -l step -x -d 'with -k: length of a time step (default 30)'
complete -c oathverify -n '__oathverify_at' -s m -l algorithm -x -a 'SHA1 SHA256 SHA512' -d 'with -k: SHA1, SHA256 or SHA512 (default SHA1)'
complete -c oathverify -n '__oathverify_at' -s w -l window -x -d 'with -k: steps to either side, or counters ahead (default 1, or 10 with --hotp)'
complete -c oathverify -n '__oathverify_at' -l hotp -x -d 'with -k: the keys are for HOTP, COUNTER is the next one'
complete -c oathverify -n '__oathverify_at' -l time -x -d 'with -k: judge as of TIME, seconds since 1970 or RFC 3339'
complete -c oathverify -n '__oathverify_at' -s h -l help -d 'show this help and exit'
complete -c oathverify -n '__oathverify_at' -l version -d 'show the version and exit'
complete -c oathverify -n '__oathverify_at checkpassword' -f
complete -c oathverify -n '__oathverify_at checkpassword' -l realm -x -d 'the realm that is judged (default pam)'
complete -c oathverify -n '__oathverify_at checkpassword' -l any-realm -d 'a name that ends in another realm is judged there, instead of refused'
complete -c oathverify -n '__oathverify_at checkpassword' -s h -l help -d 'show this help and exit'
complete -c oathverify -n '__oathverify_at checkpassword' -l version -d 'show the version and exit'
complete -c oathverify -n '__oathverify_at converse' -f
complete -c oathverify -n '__oathverify_at converse' -l realm -x -d 'the realm that is judged (default pam)'
complete -c oathverify -n '__oathverify_at converse' -l any-realm -d 'a name that ends in another realm is judged there, instead of refused'
complete -c oathverify -n '__oathverify_at converse' -l prompt -x -d 'the question (default "One-time code: ")'
complete -c oathverify -n '__oathverify_at converse' -l enrol -d 'show the QR code of a user who is enabled and has not given a right code yet'
complete -c oathverify -n '__oathverify_at converse' -s h -l help -d 'show this help and exit'
complete -c oathverify -n '__oathverify_at converse' -l version -d 'show the version and exit'
complete -c oathverify -n '__oathverify_at openvpn' -l realm -x -d 'the realm that is judged (default pam)'
complete -c oathverify -n '__oathverify_at openvpn' -l any-realm -d 'a name that ends in another realm is judged there, instead of refused'
complete -c oathverify -n '__oathverify_at openvpn' -s h -l help -d 'show this help and exit'
complete -c oathverify -n '__oathverify_at openvpn' -l version -d 'show the version and exit'
complete -c oathverify -n '__oathverify_at pam' -f
complete -c oathverify -n '__oathverify_at pam' -l realm -x -d 'the realm that is judged (default pam)'
complete -c oathverify -n '__oathverify_at pam' -l any-realm -d 'a name that ends in another realm is judged there, instead of refused'
complete -c oathverify -n '__oathverify_at pam' -l split -d 'the secret is the password with the code behind it'
complete -c oathverify -n '__oathverify_at pam' -s h -l help -d 'show this help and exit'
complete -c oathverify -n '__oathverify_at pam' -l version -d 'show the version and exit'
complete -c oathverify -n '__oathverify_at pipe' -f
complete -c oathverify -n '__oathverify_at pipe' -l realm -x -d 'the realm that is judged (default pam)'
complete -c oathverify -n '__oathverify_at pipe' -l any-realm -d 'a name that ends in another realm is judged there, instead of refused'
complete -c oathverify -n '__oathverify_at pipe' -l service -x -d 'the program that asks, for the audit log (default pipe)'
complete -c oathverify -n '__oathverify_at pipe' -s h -l help -d 'show this help and exit'
complete -c oathverify -n '__oathverify_at pipe' -l version -d 'show the version and exit'
complete -c oathverify -n '__oathverify_at radius' -f
complete -c oathverify -n '__oathverify_at radius' -l realm -x -d 'the realm that is judged (default pam)'
complete -c oathverify -n '__oathverify_at radius' -l any-realm -d 'a name that ends in another realm is judged there, instead of refused'
complete -c oathverify -n '__oathverify_at radius' -s h -l help -d 'show this help and exit'
complete -c oathverify -n '__oathverify_at radius' -l version -d 'show the version and exit'
complete -c oathverify -n '__oathverify_at shell' -f
complete -c oathverify -n '__oathverify_at shell' -l shell -r -F -d 'be a login shell, which becomes the one at PATH'
complete -c oathverify -n '__oathverify_at shell' -s c -x -d 'with --shell: run this command'
complete -c oathverify -n '__oathverify_at shell' -l stdin -d 'where there is no terminal, the first line of standard input is the code'
complete -c oathverify -n '__oathverify_at shell' -s h -l help -d 'show this help and exit'
complete -c oathverify -n '__oathverify_at shell' -l version -d 'show the version and exit'
complete -c oathverify -n '__oathverify_at squid' -f
complete -c oathverify -n '__oathverify_at squid' -l realm -x -d 'the realm that is judged (default pam)'
complete -c oathverify -n '__oathverify_at squid' -l any-realm -d 'a name that ends in another realm is judged there, instead of refused'
complete -c oathverify -n '__oathverify_at squid' -s c -l concurrency -d 'each line begins with the number of a channel: concurrency= in squid.conf'
complete -c oathverify -n '__oathverify_at squid' -s h -l help -d 'show this help and exit'
complete -c oathverify -n '__oathverify_at squid' -l version -d 'show the version and exit'
complete -c oathverify -n '__oathverify_at doctor' -f
complete -c oathverify -n '__oathverify_at doctor' -l json -d 'print the report as JSON'
complete -c oathverify -n '__oathverify_at doctor' -l root -r -F -d 'examine the system whose / is DIR'
complete -c oathverify -n '__oathverify_at doctor' -l sshd -r -F -d 'what \'sshd -T\' prints is in FILE; sshd is not run'
complete -c oathverify -n '__oathverify_at doctor' -l connection -x -d 'judge sshd for one connection, as its -C describes it'
complete -c oathverify -n '__oathverify_at doctor' -s h -l help -d 'show this help and exit'
complete -c oathverify -n '__oathverify_at doctor' -l version -d 'show the version and exit'
