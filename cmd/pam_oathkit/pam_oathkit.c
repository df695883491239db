/* pam_oathkit: asks for a one-time code in a login's own conversation.
 *
 * This carries lines between oathverify converse, which knows what to ask and
 * what to make of the answer, and the PAM conversation, which knows where the
 * person is. It decides nothing: only the whole last line "verdict accepted",
 * followed by the end of the lines, is PAM_SUCCESS. */
#define _GNU_SOURCE
#include "helper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define PAM_SM_AUTH
#include <security/pam_ext.h>
#include <security/pam_modules.h>

/* More lines than any conversation has: a QR code is forty. */
#define LINES_MOST 1000

/* Everything else stays out of the host's sight: make pam hides it. */
#define ENTRY __attribute__((visibility("default")))

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The module's options, and what each is for the program. */
static const struct {
	const char *name, *flag;
} options[] = {
	{ "config=", "-c" }, /* goes first: it precedes the command's name */
	{ "realm=", "--realm" },
	{ "prompt=", "--prompt" },
	{ "any_realm", "--any-realm" },
	{ "enrol", "--enrol" },
};

/* Room for the program, its command, every option with a value, and the end. */
typedef const char *arguments[2 + 2 * COUNT(options) + 1];

static bool valued(size_t option) { return strchr(options[option].name, '=') != NULL; }

/* Returns the number of the option that arg is, or COUNT(options). */
static size_t option_of(const char *arg)
{
	size_t i = 0;

	while (i < COUNT(options) &&
	       (valued(i) ? strncmp(arg, options[i].name, strlen(options[i].name)) : strcmp(arg, options[i].name)) != 0)
		i++;
	return i;
}

static bool read_options(pam_handle_t *pamh, int argc, const char **argv, arguments args)
{
	const char *given[COUNT(options)] = { NULL };
	size_t n = 0;

	for (int k = 0; k < argc; k++) {
		size_t i = option_of(argv[k]);
		const char *wrong = NULL;
		if (strcmp(argv[k], "nullok") == 0)
			wrong = "is not for here: the realm file, domains.cfg(5), says who needs a code";
		else if (i == COUNT(options))
			wrong = "is none of pam_oathkit(8)";
		else if (given[i] != NULL)
			wrong = "is given twice";
		else if (valued(i) && argv[k][strlen(options[i].name)] == '\0')
			wrong = "has no value";
		else if (i == 0 && argv[k][strlen(options[i].name)] != '/')
			wrong = "is no absolute path";
		if (wrong != NULL) {
			pam_syslog(pamh, LOG_ERR, "option \"%s\" %s", argv[k], wrong);
			return false;
		}
		given[i] = argv[k] + (valued(i) ? strlen(options[i].name) : 0);
	}
	args[n++] = "oathverify";
	for (size_t i = 0; i < COUNT(options); i++) {
		if (i == 1)
			args[n++] = "converse";
		if (given[i] == NULL)
			continue;
		args[n++] = options[i].flag;
		if (valued(i))
			args[n++] = given[i];
	}
	args[n] = NULL;
	return true;
}

/* Tells the helper who wants to log in, and from where as far as that is known. */
static bool introduce(pam_handle_t *pamh, struct helper *h, const char *user)
{
	static const struct {
		const char *key;
		int item;
	} rest[] = { { "service", PAM_SERVICE }, { "rhost", PAM_RHOST }, { "tty", PAM_TTY } };
	bool ok = helper_write(h, "user", user);

	for (size_t i = 0; i < COUNT(rest) && ok; i++) {
		const void *value = NULL;
		if (pam_get_item(pamh, rest[i].item, &value) != PAM_SUCCESS || value == NULL || *(const char *)value == '\0')
			continue;
		if (plain(value))
			ok = helper_write(h, rest[i].key, value);
		else /* it is for the audit log alone */
			pam_syslog(pamh, LOG_NOTICE, "the name of the %s is not passed on: it has control characters or is too long", rest[i].key);
	}
	return ok && helper_write(h, "", NULL);
}

/* Puts a question to the person and sends the answer. Without one that fits
 * into a line the question is cancelled, and nothing is judged or counted. */
static bool ask(pam_handle_t *pamh, struct helper *h, int style, const char *question)
{
	char *answer = NULL;
	bool answered = pam_prompt(pamh, style, &answer, "%s", question) == PAM_SUCCESS && answer != NULL;
	bool ok;

	if (answered && !plain(answer)) {
		pam_syslog(pamh, LOG_NOTICE, "the answer is refused: it has control characters or is too long");
		answered = false;
	}
	ok = answered ? helper_write(h, "answer", answer) : helper_write(h, "cancel", NULL);
	helper_restart(h);
	if (answer != NULL) {
		explicit_bzero(answer, strlen(answer));
		free(answer);
	}
	return ok;
}

static void show(pam_handle_t *pamh, struct helper *h, int flags, int style, const char *text)
{
	int64_t began = helper_clock();

	if (((unsigned)flags & PAM_SILENT) == 0)
		(void)pam_prompt(pamh, style, NULL, "%s", text);
	helper_excuse(h, began);
}

/* Returns what follows the word at the beginning of a line, or NULL. */
static const char *after(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 ? line + len : NULL;
}

/* The conversation, up to the verdict. */
static int converse(pam_handle_t *pamh, struct helper *h, int flags)
{
	static const struct {
		const char *line;
		int code;
	} verdicts[] = {
		{ "verdict accepted", PAM_SUCCESS },
		{ "verdict ignored", PAM_IGNORE },
		{ "verdict refused", PAM_AUTH_ERR },
		{ "verdict unsure", PAM_AUTHINFO_UNAVAIL },
	};
	const char *line, *text;
	int verdict = -1, more;

	for (int lines = 0; (more = helper_read(h, &line)) > 0; lines++) {
		bool known = verdict < 0 && lines < LINES_MOST, ok = true;
		if (known && (text = after(line, "tell ")) != NULL)
			show(pamh, h, flags, PAM_TEXT_INFO, text);
		else if (known && (text = after(line, "warn ")) != NULL)
			show(pamh, h, flags, PAM_ERROR_MSG, text);
		else if (known && (text = after(line, "ask ")) != NULL)
			ok = ask(pamh, h, PAM_PROMPT_ECHO_OFF, text);
		else if (known && (text = after(line, "ask-shown ")) != NULL)
			ok = ask(pamh, h, PAM_PROMPT_ECHO_ON, text);
		else {
			for (size_t i = 0; i < COUNT(verdicts) && known; i++)
				if (strcmp(line, verdicts[i].line) == 0)
					verdict = verdicts[i].code;
			if (!known || verdict < 0) {
				h->trouble = "it has sent what is no line of the protocol, or too much of it";
				return PAM_AUTHINFO_UNAVAIL;
			}
		}
		if (!ok)
			return PAM_AUTHINFO_UNAVAIL;
	}
	if (more == 0 && verdict < 0)
		h->trouble = "it ended without a verdict";
	return more == 0 && verdict >= 0 ? verdict : PAM_AUTHINFO_UNAVAIL;
}

/* Logs what the helper said on standard error: with a broken configuration
 * there is no other log. */
static void report(pam_handle_t *pamh, struct helper *h)
{
	size_t from = 0;

	if (h->trouble != NULL)
		pam_syslog(pamh, LOG_ERR, "no verdict from %s: %s", OATHVERIFY, h->trouble);
	for (size_t i = 0; i <= h->said_len; i++) {
		if (i < h->said_len && h->said[i] != '\n') {
			if ((unsigned char)h->said[i] < ' ' || h->said[i] == 0x7f)
				h->said[i] = '?';
			continue;
		}
		if (i > from)
			pam_syslog(pamh, LOG_WARNING, "%.*s", (int)(i - from), h->said + from);
		from = i + 1;
	}
}

ENTRY int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct helper h;
	arguments args;
	const char *user = NULL;
	int verdict;

	if (!read_options(pamh, argc, argv, args))
		return PAM_SERVICE_ERR;
	if (pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || user == NULL)
		return PAM_AUTHINFO_UNAVAIL;
	if (!plain(user)) {
		pam_syslog(pamh, LOG_NOTICE, "a user is refused whose name has control characters or is too long");
		return PAM_AUTH_ERR;
	}
	if (!helper_start(&h, (char *const *)(uintptr_t)args)) {
		pam_syslog(pamh, LOG_ERR, "cannot start a process: %s", strerror(errno));
		return PAM_AUTHINFO_UNAVAIL;
	}
	verdict = introduce(pamh, &h, user) ? converse(pamh, &h, flags) : PAM_AUTHINFO_UNAVAIL;
	helper_end(&h);
	report(pamh, &h);
	explicit_bzero(&h, sizeof h); /* the key of a QR code may be among the lines */
	return verdict;
}

/* There is nothing to set, so this cannot fail. It lets nobody in, either:
 * libpam goes along the chain that authenticating has left. There a line of ours
 * that was PAM_IGNORE is passed over whatever this returns, and a "sufficient"
 * one that was PAM_SUCCESS ends the chain, which it would not with PAM_IGNORE.
 *
 * Account, session and password have no functions here, and for a line of ours
 * there libpam fails. */
ENTRY int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}
