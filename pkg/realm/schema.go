package realm

import (
	"errors"
	"fmt"
	"strings"
)

// form is the kind of value that a property takes.
type form uint8

const (
	text    form = iota + 1 // any bytes up to a length
	boolean                 // 0 or 1; nothing means 1
	port                    // 1..65535
	address                 // an IP address or a DNS name
	tfaForm                 // see ParseTFA
	tlsVersion
	ldapMode
	attribute     // two characters or more, none of them blank
	attributeName // letters and digits
	attributeList // of attributeName, between blanks, commas, semicolons
	attributeMap  // key=value,key=value
	syncOptions   // a property string
	claim         // letters, digits, `.`, `-`, `_`
	nonBlank      // no white space
	uriText       // no blanks, controls, `<`, `>`, `#` or `"`
)

// A rule says what Proxmox VE takes as a value of a property.
type rule struct {
	form     form
	max      int // length in bytes, 0 for no limit
	required bool
}

// types are the realm types that Proxmox VE knows, in lower case.
func isType(typ string) bool {
	switch typ {
	case "pam", "pve", "ldap", "ad", "openid":
		return true
	}
	return false
}

// ruleOf returns the rule for a property of a realm type, which is in lower
// case, and whether the type has that property (pve-access-control 9.1).
func ruleOf(typ, key string) (rule, bool) {
	switch key {
	case "default":
		return rule{form: boolean}, true
	case "comment":
		return rule{form: text, max: 4096}, true
	case "tfa":
		return rule{form: tfaForm}, typ != "openid"
	}
	switch typ {
	case "ldap", "ad":
		return directoryRule(typ, key)
	case "openid":
		return openidRule(key)
	}
	return rule{}, false
}

func directoryRule(typ, key string) (rule, bool) {
	switch key {
	case "server1":
		return rule{address, 256, true}, true
	case "server2":
		return rule{address, 256, false}, true
	case "base_dn":
		return rule{text, 256, typ == "ldap"}, true
	case "user_attr":
		return rule{attribute, 256, typ == "ldap"}, true
	case "domain":
		return rule{nonBlank, 256, true}, typ == "ad"
	case "bind_dn", "group_dn":
		return rule{form: text, max: 256}, true
	case "filter", "group_filter":
		return rule{form: text, max: 2048}, true
	case "password", "capath", "cert", "certkey":
		return rule{form: text}, true
	case "port":
		return rule{form: port}, true
	case "secure", "verify", "case-sensitive":
		return rule{form: boolean}, true
	case "sslversion":
		return rule{form: tlsVersion}, true
	case "mode":
		return rule{form: ldapMode}, true
	case "sync_attributes":
		return rule{form: attributeMap}, true
	case "user_classes", "group_classes":
		return rule{form: attributeList}, true
	case "group_name_attr":
		return rule{form: attributeName, max: 256}, true
	case "sync-defaults-options":
		return rule{form: syncOptions}, true
	}
	return rule{}, false
}

func openidRule(key string) (rule, bool) {
	switch key {
	case "issuer-url", "client-id":
		return rule{text, 256, true}, true
	case "client-key":
		return rule{form: text, max: 256}, true
	case "username-claim", "scopes":
		return rule{form: text}, true
	case "groups-claim":
		return rule{form: claim, max: 256}, true
	case "prompt":
		return rule{form: nonBlank}, true
	case "acr-values", "audiences":
		return rule{form: uriText}, true
	case "autocreate", "groups-autocreate", "groups-overwrite", "query-userinfo":
		return rule{form: boolean}, true
	}
	return rule{}, false
}

// requiredOf returns the properties without which a section is void.
func requiredOf(typ string) []string {
	switch typ {
	case "ldap":
		return []string{"server1", "base_dn", "user_attr"}
	case "ad":
		return []string{"server1", "domain"}
	case "openid":
		return []string{"issuer-url", "client-id"}
	}
	return nil
}

// isPropertyName reports whether any type has a property of that name.
func isPropertyName(key string) bool {
	for _, typ := range []string{"ldap", "ad", "openid"} {
		if _, ok := ruleOf(typ, key); ok {
			return true
		}
	}
	return false
}

var (
	errUnknownKey = errors.New("no realm has such a property")
	errNotOfType  = errors.New("this type of realm has no such property")
	errNoValue    = errors.New("the value is missing")
	errInnerCR    = errors.New("a carriage return stands inside the value")
)

// checkValue returns the value that Proxmox VE takes over, or why it drops the
// property.
func checkValue(typ, key, value string, hasValue bool) (string, error) {
	r, ok := ruleOf(typ, key)
	switch {
	case !ok && isPropertyName(key):
		return "", errNotOfType
	case !ok:
		return "", errUnknownKey
	case !hasValue && r.form == boolean:
		return "1", nil
	case !hasValue:
		return "", errNoValue
	case strings.Contains(value, "\r"):
		return "", errInnerCR
	}
	return r.check(value)
}

func (r rule) check(value string) (string, error) {
	switch r.form {
	case tfaForm:
		_, err := ParseTFA(value)
		return value, err
	case boolean:
		if value != "0" && value != "1" {
			return "", fmt.Errorf("%q: must be 0 or 1", value)
		}
		return value, nil
	case port:
		n, ok := perlInteger(value)
		if !ok || n < 1 || n > 65535 {
			return "", fmt.Errorf("%q: must be 1..65535", value)
		}
		return fmt.Sprint(n), nil
	}
	if err := r.checkText(value); err != nil {
		return "", err
	}
	if r.max > 0 && len(value) > r.max {
		return "", fmt.Errorf("%d characters: at most %d are read", len(value), r.max)
	}
	return value, nil
}

func (r rule) checkText(value string) error {
	ok, want := true, ""
	switch r.form {
	case address:
		// To the reader's own check "0" is as good as no answer.
		ok, want = value != "0" && (isIPv6(value) || isDNSName(value)), "an IP address or a DNS name"
	case tlsVersion:
		ok, want = oneOf(value, "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3"), "tlsv1, tlsv1_1, tlsv1_2 or tlsv1_3"
	case ldapMode:
		ok, want = oneOf(value, "ldap", "ldaps", "ldap+starttls"), "ldap, ldaps or ldap+starttls"
	case attribute:
		ok, want = len(value) >= 2 && !hasSpace(value), "two characters or more without blanks"
	case nonBlank:
		ok, want = !hasSpace(value), "without blanks"
	case attributeName:
		ok, want = isAttribute(value), "letters and digits"
	case attributeList:
		ok, want = isAttributeList(value), "names of letters and digits"
	case attributeMap:
		ok, want = isAttributeMap(value), "name=value, separated by commas"
	case syncOptions:
		ok, want = isSyncOptions(value), "scope, remove-vanished, enable-new, full, purge"
	case claim:
		ok, want = isClaim(value), "letters, digits, \".\", \"-\" and \"_\""
	case uriText:
		ok, want = isURIText(value), "without blanks, control characters, \"<\", \">\", \"#\" and quotes"
	}
	if !ok {
		return fmt.Errorf("%q: must be %s", value, want)
	}
	return nil
}
