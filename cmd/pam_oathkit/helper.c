/* Starting the program that judges from inside a stranger's process, talking
 * with it, and leaving no trace of it there.
 *
 * The host may have threads, a handler for SIGCHLD, a loop of waitpid(-1, ...),
 * descriptors 0 to 2 closed, and a real user who is not its effective one. None
 * of this is changed, not even for a moment: a disposition that is changed and
 * put back belongs to all threads in between.
 *
 * A child of clone(2) without an exit signal sends its parent none, and only
 * waitpid with __WALL or __WCLONE finds it, so the host never learns of it. But
 * execve(2) gives it SIGCHLD again. Therefore there are two: the minder, which
 * never execs, and its child, the program. The minder ends it when the host
 * says so or dies, waits for it, and so leaves nobody to be adopted by init, or
 * by a host that is init.
 *
 * Until execve only what is safe in a signal handler is called: another thread
 * may have held any lock at the moment of the clone. That rules out fork, whose
 * child tidies up after atfork handlers and malloc, and setresuid, which in
 * glibc wants all threads to follow. */
#define _GNU_SOURCE
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Where ids had 16 bits first, the calls with 32 have another name. */
#ifdef SYS_setresuid32
#define SETRESUID SYS_setresuid32
#define SETRESGID SYS_setresgid32
#define SETGROUPS SYS_setgroups32
#else
#define SETRESUID SYS_setresuid
#define SETRESGID SYS_setresgid
#define SETGROUPS SYS_setgroups
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* A copy of this thread alone, without exit signal. All arguments are 0, so
 * their order, which is not the same on all machines, does not matter. */
static pid_t split(void) { return (pid_t)syscall(SYS_clone, 0UL, 0UL, 0UL, 0UL, 0UL); }

static void close_from(unsigned first)
{
	if (syscall(SYS_close_range, first, ~0U, 0U) == 0)
		return;
	for (int fd = (int)first; fd < 65536; fd++) /* before Linux 5.9 */
		close(fd);
}

/* Puts ours in the places of the standard descriptors, and closes what the host
 * had. First out of the way: they are among 0 to 2 where the host closed those. */
static bool connect_all(int lines, int complaints)
{
	lines = fcntl(lines, F_DUPFD, 3);
	complaints = fcntl(complaints, F_DUPFD, 3);
	if (dup2(lines, 0) < 0 || dup2(lines, 1) < 0 || dup2(complaints, 2) < 0)
		return false;
	close_from(3);
	return true;
}

/* Leaves nothing else of the host and of the person who started it: su and sudo
 * run as root for somebody, whose signals, groups and terminal stay outside. */
static bool settle(void)
{
	/* SIG_DFL, no flags and an empty mask, in the order of every machine. */
	static const unsigned long standard[8] = { 0 };
	uid_t uid = geteuid();
	gid_t gid = uid == 0 ? 0 : getegid();

	/* Not by signal: glibc lets nobody touch 32 and 33, which its posix_spawn
	 * leaves ignored in all that make and many others start. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)syscall(SYS_rt_sigaction, (long)sig, standard, NULL, NSIG / 8UL);
	umask(077);
	setsid();
	if (uid == 0)
		(void)syscall(SETGROUPS, 0UL, NULL); /* root needs none, and may lack the right */
	return syscall(SETRESGID, gid, gid, gid) == 0 && syscall(SETRESUID, uid, uid, uid) == 0 && chdir("/") == 0;
}

/* Ends a process of ours with a message, which the host logs. */
static _Noreturn void give_up(const char *message)
{
	_exit(write(2, message, strlen(message)) < 0 ? 126 : 127);
}

static _Noreturn void become(char *const argv[])
{
	static char *const environment[] = { NULL };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the minder be killed */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(OATHVERIFY, argv, environment);
	give_up("cannot start " OATHVERIFY "\n");
}

/* The minder's life. SIGTERM comes from the host, or from the kernel when the
 * host dies; a second later the program is killed, and after another one it is
 * given up: a process that hangs in a broken disk must not take the host along. */
static _Noreturn void mind(pid_t host, int lines, int complaints, char *const argv[])
{
	static const struct timespec grace = { .tv_sec = 1 };
	const struct timespec *limit = NULL;
	sigset_t wake;
	bool killed = false;

	if (!connect_all(lines, complaints))
		_exit(1); /* silently: standard error may be the host's yet */
	if (!settle())
		give_up("cannot prepare a process for " OATHVERIFY "\n");
	/* Not before settle: a change of ids takes it back. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != host)
		_exit(1);
	pid_t child = split();
	if (child == 0)
		become(argv);
	close_from(0);
	sigemptyset(&wake);
	sigaddset(&wake, SIGCHLD);
	sigaddset(&wake, SIGTERM);
	for (;;) {
		int sig = sigtimedwait(&wake, NULL, limit); /* both are blocked since before the clone */
		if (sig < 0 && errno == EINTR)
			continue;
		if (child < 0 || waitpid(child, NULL, WNOHANG | __WALL) != 0 || (sig < 0 && killed))
			_exit(0);
		if (sig == SIGTERM)
			limit = &grace;
		if (sig < 0) {
			kill(child, SIGKILL);
			killed = true;
		}
	}
}

bool helper_start(struct helper *h, char *const argv[])
{
	int lines[2], complaints[2], error;
	sigset_t all, before;
	pid_t host = getpid();

	memset(h, 0, sizeof *h);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines) != 0)
		return false;
	if (pipe2(complaints, O_CLOEXEC) != 0) {
		error = errno;
		close(lines[0]), close(lines[1]);
		errno = error;
		return false;
	}
	/* No handler of the host may run in the copy of it. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	h->minder = split();
	if (h->minder == 0)
		mind(host, lines[1], complaints[1], argv);
	error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(lines[1]), close(complaints[1]);
	h->lines = lines[0];
	h->complaints = complaints[0];
	helper_restart(h);
	if (h->minder > 0)
		return true;
	close(lines[0]), close(complaints[0]);
	errno = error;
	return false;
}

int64_t helper_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void helper_restart(struct helper *h) { h->until = helper_clock() + DEADLINE * 1000; }

void helper_excuse(struct helper *h, int64_t began) { h->until += helper_clock() - began; }

/* Takes what there is on standard error, so that its writer never has to wait,
 * and keeps the beginning. Returns whether there may be more. */
static bool hear(struct helper *h)
{
	struct pollfd fd = { .fd = h->complaints, .events = POLLIN };
	char heard[512];

	if (h->complaints < 0 || poll(&fd, 1, 0) <= 0)
		return false;
	ssize_t n = read(h->complaints, heard, sizeof heard);
	if (n <= 0) {
		close(h->complaints);
		h->complaints = -1;
		return false;
	}
	size_t room = SAID_MOST - h->said_len, len = (size_t)n < room ? (size_t)n : room;
	memcpy(h->said + h->said_len, heard, len);
	h->said_len += len;
	return true;
}

/* Reads more of the lines. Returns what recv does, or -1. */
static ssize_t receive(struct helper *h)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = h->lines, .events = POLLIN }, { .fd = h->complaints, .events = POLLIN } };
		int64_t left = h->until - helper_clock();
		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return -1;
		if (fds[1].revents != 0)
			hear(h);
		ssize_t n = recv(h->lines, h->buf + h->have, sizeof h->buf - h->have, MSG_DONTWAIT);
		if (n >= 0 || (errno != EAGAIN && errno != EINTR))
			return n;
	}
}

bool plain(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return len < LINE_MOST - sizeof "service ";
}

static int fail(struct helper *h, const char *trouble)
{
	h->trouble = trouble;
	return -1;
}

int helper_read(struct helper *h, const char **line)
{
	h->have -= h->used;
	memmove(h->buf, h->buf + h->used, h->have);
	h->used = 0;
	for (;;) {
		char *end = memchr(h->buf, '\n', h->have);
		if (end != NULL) {
			*end = '\0';
			h->used = (size_t)(end - h->buf) + 1;
			*line = h->buf;
			for (const char *p = h->buf; p < end; p++)
				if ((unsigned char)*p < ' ' || *p == 0x7f)
					return fail(h, "it has sent a control character");
			return 1;
		}
		if (h->have == sizeof h->buf)
			return fail(h, "it has sent a line that is too long");
		ssize_t n = receive(h);
		if (n < 0)
			return fail(h, errno == ETIMEDOUT ? "it took too long" : "it has broken off");
		if (n == 0 && h->have > 0)
			return fail(h, "it ended within a line");
		if (n == 0)
			return 0;
		h->have += (size_t)n;
	}
}

bool helper_write(struct helper *h, const char *key, const char *text)
{
	/* Sent from where they are: an answer that is not copied needs no clearing. */
	struct iovec parts[] = {
		{ (void *)(uintptr_t)key, strlen(key) },
		{ (void *)(uintptr_t)" ", text != NULL },
		{ (void *)(uintptr_t)text, text != NULL ? strlen(text) : 0 },
		{ (void *)(uintptr_t)"\n", 1 },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 4 };
	size_t len = parts[0].iov_len + parts[1].iov_len + parts[2].iov_len + 1;
	ssize_t n;

	do {
		n = sendmsg(h->lines, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n == len)
		return true;
	/* There is room for many lines, so somebody has not read for long. */
	h->trouble = errno == EAGAIN || n >= 0 ? "it does not read" : "it has gone";
	return false;
}

void helper_end(struct helper *h)
{
	close(h->lines);
	kill(h->minder, SIGTERM);
	while (waitpid(h->minder, NULL, __WALL) < 0 && errno == EINTR)
		continue;
	for (int i = 0; i < SAID_MOST / 64 && hear(h); i++)
		continue;
	if (h->complaints >= 0)
		close(h->complaints);
}
