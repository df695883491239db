package main

import (
	"strconv"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
)

// report says what became of everybody.
func (im *importing) report() error {
	if err := im.print(); err != nil {
		return err
	}
	for _, l := range im.losses {
		im.c.Warn("%s", cli.Printable(l.String()))
	}
	count := map[string]int{}
	keys, weak, known := 0, 0, 0
	var wait time.Duration
	for _, a := range im.arrivals {
		count[a.Result]++
		if a.Message != "" {
			im.c.Warn("%s: %s", cli.Printable(a.From), a.Message)
		}
		keys += a.Added
		if a.Added == 0 {
			continue
		}
		for i := range a.person.Credentials {
			cr := &a.person.Credentials[i]
			if cr.Key.Weak() {
				weak++
			}
			if mfa.TestKey(cr.Key) || mfa.PrintableKey(cr.Key) {
				known++
			}
			if cr.UnknownUse {
				wait = max(wait, time.Duration(cr.Period*(im.Config.Verify.Window+1))*time.Second)
			}
		}
	}
	if weak > 0 {
		im.c.Warn("%s fewer than the 128 bits that RFC 4226 asks for: 'mfactl audit' names them", keysHave(weak))
	}
	if known > 0 {
		im.c.Warn("%s no random bytes, but text or a key that is printed in public: 'mfactl audit' names them", keysHave(known))
	}
	done := count[imported] + count[addedTo]
	if im.dryRun {
		im.c.Say("%s would be imported for %s; nothing was written", plural(keys, "credential"), plural(done, "user"))
	} else {
		im.c.Say("%s imported for %s", plural(keys, "credential"), plural(done, "user"))
	}
	if wait > 0 && !im.dryRun {
		im.c.Say("Of codes that may have been used there nothing is known: new ones are good in %d seconds at the latest", wait/time.Second)
	}
	return im.verdict(count)
}

func keysHave(n int) string {
	if n == 1 {
		return "1 key has"
	}
	return strconv.Itoa(n) + " keys have"
}

func (im *importing) verdict(count map[string]int) error {
	if n := count[failed]; n > 0 {
		return cli.Unsure("%s could not be imported, see above", plural(n, "user")).
			Hint("mend what is said there and run the import again: whoever is imported stays as he is")
	}
	if n := count[refused]; n > 0 {
		f := cli.Refused("%s not imported, see above", plural(n, "user"))
		for _, a := range im.arrivals {
			if a.Result == refused && a.ID != "" && len(a.person.Credentials) > 0 && !im.addTo {
				return f.Hint("--add-to-existing gives users who are enabled the keys that they do not have yet")
			}
		}
		return f
	}
	return nil
}

// print prints the table or the JSON.
func (im *importing) print() error {
	if im.json {
		losses := []jsonLoss{}
		for _, l := range im.losses {
			losses = append(losses, jsonLoss(l))
		}
		users := im.arrivals
		if users == nil {
			users = []*arrival{}
		}
		return im.c.JSON(struct {
			DryRun bool       `json:"dry_run"`
			Users  []*arrival `json:"users"`
			Losses []jsonLoss `json:"losses"`
		}{im.dryRun, users, losses})
	}
	rows := make([][]string, 0, len(im.arrivals))
	for _, a := range im.arrivals {
		id := a.ID
		if id == "" {
			id = a.From
		}
		rows = append(rows, []string{id, a.Result, strconv.Itoa(a.Added), strconv.Itoa(a.Codes), yesNo(a.Locked)})
	}
	return cli.Table(im.c.Stdout, []string{"USER", "RESULT", "KEYS", "CODES", "LOCKED"}, rows)
}

// A jsonLoss is a loss as JSON has it.
type jsonLoss struct {
	User string `json:"user"`
	What string `json:"what"`
	Why  string `json:"why"`
}
