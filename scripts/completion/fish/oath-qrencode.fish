# fish completion for oath-qrencode
# Written by 'make completion' from the program's own usage.

# Whether the commands on the line so far are exactly these.
function __oath_qrencode_at
    set -l commands
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --account --algorithm --config --digits --hotp --issuer --key-file --level --output --period --type -a -c -d -i -k -m -o -p -t
                set skip 1
        end
    end
    test "$commands" = "$argv"
end

complete -c oath-qrencode -n '__oath_qrencode_at' -f
complete -c oath-qrencode -n '__oath_qrencode_at' -s g -l generate -d 'make a fresh key, and print it above the QR code'
complete -c oath-qrencode -n '__oath_qrencode_at' -s k -l key-file -r -F -d 'read the key or URI from FILE, - for standard input'
complete -c oath-qrencode -n '__oath_qrencode_at' -s i -l issuer -x -d 'who asks for the code (default: as configured, else this host\'s name)'
complete -c oath-qrencode -n '__oath_qrencode_at' -s a -l account -x -d 'whose key it is (default: $USER@HOST)'
complete -c oath-qrencode -n '__oath_qrencode_at' -l hotp -x -d 'codes by a counter that begins with COUNTER, instead of by time'
complete -c oath-qrencode -n '__oath_qrencode_at' -s d -l digits -x -d 'digits of a code, 6 to 10 (default 6)'
complete -c oath-qrencode -n '__oath_qrencode_at' -s p -l period -x -d 'seconds that a code is good, 1 to 86400 (default 30)'
complete -c oath-qrencode -n '__oath_qrencode_at' -s m -l algorithm -x -a 'SHA1 SHA256 SHA512' -d 'SHA1, SHA256 or SHA512 (default SHA1)'
complete -c oath-qrencode -n '__oath_qrencode_at' -s t -l type -x -a 'utf8 ansi ascii png svg uri json' -d 'utf8, ansi, ascii, png, svg, uri or json'
complete -c oath-qrencode -n '__oath_qrencode_at' -s o -l output -r -F -d 'write to a new FILE that only you can read, - for standard output'
complete -c oath-qrencode -n '__oath_qrencode_at' -l invert -d 'swap dark and light, for a terminal with dark text on a light ground'
complete -c oath-qrencode -n '__oath_qrencode_at' -l level -x -a 'L M Q H' -d 'error correction: L, M, Q or H (default L)'
complete -c oath-qrencode -n '__oath_qrencode_at' -s c -l config -r -F -d 'configuration (default /etc/oathkit/oathkit.toml)'
complete -c oath-qrencode -n '__oath_qrencode_at' -s h -l help -d 'show this help and exit'
complete -c oath-qrencode -n '__oath_qrencode_at' -l version -d 'show the version and exit'
