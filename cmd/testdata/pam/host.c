/* A program that people log in to, with as many habits as such programs have.
 * It authenticates, and says what came of it and what is not as it was before.
 *
 *   host [-ahiwcsmge] [-t THREADS] [-r RHOST] CONFDIR SERVICE USER [ANSWER...]
 *
 * -a ignores all signals, those that the C library keeps for itself, too, as in
 * what posix_spawn(3) of glibc has started,
 * -e is interrupted by a signal a thousand times a second,
 * -h has a handler for SIGCHLD, -i ignores it, -w waits for any child in a thread
 * all the time, -c closes descriptors 0 to 2 before, -s wants silence, -m looks
 * for the answers in its memory afterwards, -g sets credentials whatever came.
 * Answers: @none gives none, @null an empty success, @newline and @long what no
 * line can hold, @die kills the host, @sleep takes longer than the helper may. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const char veil = 0x15; /* over the answers, so that they are in memory once */
static FILE *out;
static const char *confdir, *service, *user, *rhost = "192.0.2.7";
static char **answers; /* veiled */
static int flags;
static bool always, searches;
static volatile sig_atomic_t signals;

static void on_alarm(int sig) { (void)sig; }

/* Every call that waits fails with EINTR now and then. */
static void interrupt(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void ignore_all(void)
{
	const unsigned long kernels[8] = { (unsigned long)SIG_IGN };

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGSEGV && sig != SIGBUS && sig != SIGFPE && sig != SIGILL)
			syscall(SYS_rt_sigaction, (long)sig, kernels, NULL, NSIG / 8UL);
}

static void on_child(int sig)
{
	(void)sig;
	signals = signals + 1;
}

static void say(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	flockfile(out);
	vfprintf(out, format, list);
	fflush(out);
	funlockfile(out);
	va_end(list);
}

/* What the module logs goes to this log. */
void pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...);
void pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
	char line[4096];
	va_list list;

	(void)pamh, (void)priority;
	va_start(list, format);
	vsnprintf(line, sizeof line, format, list);
	va_end(list);
	say("log %s\n", line);
}

static char *unveil(const char *answer)
{
	char *clear = strdup(answer);

	for (char *p = clear; *p != '\0'; p++)
		*p = (char)(*p ^ veil);
	return clear;
}

/* Gives one answer. */
static int answer(char ***next, char **response)
{
	char *text = **next == NULL ? NULL : unveil(*(*next)++);

	if (text == NULL || strcmp(text, "@none") == 0) {
		free(text);
		return PAM_CONV_ERR;
	}
	if (strcmp(text, "@die") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(text, "@sleep") == 0)
		sleep(3);
	if (strcmp(text, "@null") == 0) {
		free(text);
		text = NULL;
	} else if (strcmp(text, "@newline") == 0) {
		memcpy(text, "12\n345", 6);
	} else if (strcmp(text, "@long") == 0) {
		free(text);
		text = calloc(1, 5001);
		memset(text, '1', 5000);
	}
	*response = text;
	return PAM_SUCCESS;
}

static int talk(int n, const struct pam_message **message, struct pam_response **response, void *data)
{
	char ***next = data;
	struct pam_response *given = calloc((size_t)n, sizeof *given);
	int code = PAM_SUCCESS;

	for (int i = 0; i < n && code == PAM_SUCCESS; i++) {
		say("%s <%s>\n", (const char *[]){ "", "ask", "ask-shown", "warn", "tell" }[message[i]->msg_style],
		    searches ? "" : message[i]->msg);
		if (message[i]->msg_style == PAM_PROMPT_ECHO_OFF || message[i]->msg_style == PAM_PROMPT_ECHO_ON)
			code = answer(next, &given[i].resp);
	}
	if (code != PAM_SUCCESS) {
		free(given);
		return code;
	}
	*response = given;
	return code;
}

/* Looks for the ends of the answers in all memory that can be written: the
 * beginning of what is freed is overwritten in any case. */
static void search(void)
{
	enum { end = 16 };
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];

	while (fgets(line, sizeof line, maps) != NULL) {
		unsigned long from, to;
		char mode[8];
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || strncmp(mode, "rw", 2) != 0)
			continue;
		for (char **a = answers; *a != NULL; a++) {
			const char *wanted = *a + strlen(*a) - end;
			for (const char *p = (const char *)from; p + end <= (const char *)to; p++) {
				size_t same = 0;
				while (same < end && (p[same] ^ veil) == wanted[same])
					same++;
				if (same == end)
					say("changed: an answer is left in %s", line);
			}
		}
	}
	fclose(maps);
}

static void *login(void *nothing)
{
	char **next = answers;
	struct pam_conv conversation = { talk, &next };
	pam_handle_t *pamh = NULL;
	int code = pam_start_confdir(service, user, &conversation, confdir, &pamh);

	(void)nothing;
	if (code != PAM_SUCCESS) {
		say("pam_start_confdir %d\n", code);
		return NULL;
	}
	pam_set_item(pamh, PAM_RHOST, rhost);
	code = pam_authenticate(pamh, flags);
	say("authenticate %d\n", code);
	if (searches)
		search();
	if (code == PAM_SUCCESS || always)
		say("setcred %d\n", pam_setcred(pamh, PAM_ESTABLISH_CRED | flags));
	pam_end(pamh, code);
	return NULL;
}

/* All of a process that a module has no business to change. */
struct state {
	char open[64][256], folder[256];
	sigset_t mask;
	void (*handlers[NSIG])(int);
	mode_t umask;
};

static void look(struct state *s)
{
	memset(s, 0, sizeof *s);
	for (int fd = 0; fd < 64; fd++) {
		char name[64];
		snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		if (readlink(name, s->open[fd], sizeof s->open[fd] - 1) < 0)
			s->open[fd][0] = '\0';
	}
	pthread_sigmask(SIG_BLOCK, NULL, &s->mask);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction action;
		if (sigaction(sig, NULL, &action) == 0)
			s->handlers[sig] = action.sa_handler;
	}
	s->umask = umask(022);
	umask(s->umask);
	if (getcwd(s->folder, sizeof s->folder) == NULL)
		s->folder[0] = '\0';
}

static void compare(const struct state *a, const struct state *b)
{
	for (int fd = 0; fd < 64; fd++)
		if (strcmp(a->open[fd], b->open[fd]) != 0)
			say("changed: descriptor %d was \"%s\" and is \"%s\"\n", fd, a->open[fd], b->open[fd]);
	for (int sig = 1; sig < NSIG; sig++) {
		if (sigismember(&a->mask, sig) != sigismember(&b->mask, sig))
			say("changed: the mask of signal %d\n", sig);
		if (a->handlers[sig] != b->handlers[sig])
			say("changed: the handler of signal %d\n", sig);
	}
	if (a->umask != b->umask || strcmp(a->folder, b->folder) != 0)
		say("changed: umask or folder\n");
}

/* A child of the host's own, and the thread that waits for any child: it must
 * find this one and no other. */
static pid_t own;
static int own_lives[2];

static void *wait_for_any(void *nothing)
{
	pid_t found = waitpid(-1, NULL, 0);

	(void)nothing;
	if (found != own)
		say("changed: waitpid found %d, and the host's child is %d: %s\n", found, own, strerror(errno));
	return NULL;
}

static void bear(void)
{
	char c;

	if (pipe2(own_lives, O_CLOEXEC) != 0)
		exit(3);
	own = fork();
	if (own != 0)
		return;
	close(own_lives[1]);
	_exit(read(own_lives[0], &c, 1) < 0);
}

int main(int argc, char **argv)
{
	struct state before, after;
	pthread_t threads[64], waiter;
	int option, n = 0;
	bool waits = false, closed = false;

	while ((option = getopt(argc, argv, "ahiwcsmget:r:")) != -1) {
		switch (option) {
		case 'a': ignore_all(); break;
		case 'h': signal(SIGCHLD, on_child); break;
		case 'e': interrupt(); break;
		case 'i': signal(SIGCHLD, SIG_IGN); break;
		case 'w': waits = true; break;
		case 'c': closed = true; break;
		case 's': flags = (int)PAM_SILENT; break;
		case 'm': searches = true; break;
		case 'g': always = true; break;
		case 'r': rhost = optarg; break;
		case 't': n = atoi(optarg); break;
		default: return 2;
		}
	}
	confdir = argv[optind], service = argv[optind + 1], user = argv[optind + 2];
	answers = argv + optind + 3;
	for (char **a = answers; *a != NULL; a++)
		for (char *p = *a; *p != '\0'; p++)
			*p = (char)(*p ^ veil);
	out = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 50), "w");
	setvbuf(out, calloc(1, 1 << 16), _IOFBF, 1 << 16);
	/* A descriptor that the helper must not get, for it is not closed by exec. */
	if (open("/dev/null", O_RDWR) < 0)
		return 3;
	if (closed)
		for (int fd = 0; fd < 3; fd++)
			close(fd);
	if (waits)
		bear();
	look(&before);
	if (waits)
		pthread_create(&waiter, NULL, wait_for_any, NULL);
	for (int i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, login, NULL);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	if (n == 0)
		login(NULL);
	look(&after);
	compare(&before, &after);
	if (signals != 0)
		say("changed: %d signals SIGCHLD came\n", (int)signals);
	if (waits) {
		close(own_lives[1]);
		pthread_join(waiter, NULL);
	}
	if (waitpid(-1, NULL, WNOHANG | __WALL) >= 0 || errno != ECHILD)
		say("changed: there is a child\n");
	return 0;
}
