/* Says on standard error what it has been started with, and accepts. A shell
 * could not: it tidies up before it runs a script. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int main(void)
{
	char line[4096];
	FILE *status = fopen("/proc/self/status", "r"), *stat = NULL;

	while (status != NULL && fgets(line, sizeof line, status) != NULL)
		if (strncmp(line, "Sig", 3) == 0 || strncmp(line, "Uid", 3) == 0 || strncmp(line, "Gid", 3) == 0 ||
		    strncmp(line, "Groups", 6) == 0 || strncmp(line, "Umask", 5) == 0)
			fputs(line, stderr);
	fclose(status);
	for (int fd = 0; fd < 1024; fd++) {
		snprintf(line, sizeof line, "/proc/self/fd/%d", fd);
		if (access(line, F_OK) == 0)
			fprintf(stderr, "descriptor %d\n", fd);
	}
	for (char **e = environ; *e != NULL; e++)
		fprintf(stderr, "environment %s\n", *e);
	if (getcwd(line, sizeof line) != NULL)
		fprintf(stderr, "folder %s\n", line);
	fprintf(stderr, "leader %d\n", getsid(0) == getsid(getppid()) && getsid(0) == getppid());
	stat = fopen("/dev/tty", "r");
	fprintf(stderr, "terminal %d\n", stat != NULL);
	while (fgets(line, sizeof line, stdin) != NULL && line[0] != '\n')
		continue;
	puts("verdict accepted");
	return 0;
}
