/* The program that judges, as a process and as lines: what pam_oathkit.c needs
 * to know of it, and nothing of PAM. */
#ifndef OATHKIT_HELPER_H
#define OATHKIT_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The program's path is a decision of whoever builds the module. Looked up at
 * run time it would be one of whoever logs in. */
#ifndef OATHVERIFY
#error "build with -DOATHVERIFY='\"/path/of/oathverify\"', as make pam does"
#endif

/* How many seconds the helper has from one answer to its next question or its
 * verdict, how many bytes a line of either side has, its newline included, and
 * how many bytes of standard error are kept. */
#ifndef DEADLINE
#define DEADLINE 120
#endif
#define LINE_MOST 4096
#define SAID_MOST 2048

struct helper {
	pid_t minder;
	int lines, complaints; /* its standard input and output; standard error */
	int64_t until;         /* the deadline, in milliseconds of helper_clock */
	const char *trouble;   /* why helper_read or helper_write has failed */
	size_t have, used;     /* bytes in buf, and those of the line given out last */
	size_t said_len;
	char buf[LINE_MOST];
	char said[SAID_MOST]; /* the beginning of what came on standard error */
};

/* Starts the program. Returns false, with errno, where that is not possible; a
 * program that is missing shows as one that ends at once and complains. */
bool helper_start(struct helper *h, char *const argv[]);

/* Waits for a line, which holds until the next call, has no control characters
 * and no newline. Returns 1, or 0 at the orderly end of the lines, or -1. */
int helper_read(struct helper *h, const char **line);

/* Sends the line KEY, or KEY TEXT where text is not NULL. */
bool helper_write(struct helper *h, const char *key, const char *text);

/* Gives the helper the whole deadline anew, or the time since began back. */
void helper_restart(struct helper *h);
void helper_excuse(struct helper *h, int64_t began);
int64_t helper_clock(void);

/* Ends the program, however it may be, within three seconds. What remains is
 * h->said. */
void helper_end(struct helper *h);

/* Says whether s has no control characters and fits into a line after its key. */
bool plain(const char *s);

#endif
