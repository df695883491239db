/* authenticate CONFDIR SERVICE...: what libpam answers to pam_authenticate for
 * each service of a folder, one number a line; -1 where that ends it. */
#include <security/pam_appl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int say(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	(void)n, (void)msg, (void)resp, (void)data;
	return PAM_CONV_ERR;
}

static int authenticate(const char *folder, const char *service)
{
	const struct pam_conv conv = { say, NULL };
	pam_handle_t *h = NULL;
	int code = pam_start_confdir(service, "nobody", &conv, folder, &h);
	if (code == PAM_SUCCESS)
		code = pam_authenticate(h, PAM_SILENT);
	return code;
}

int main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		int status = 0;
		pid_t child = fork();
		if (child < 0)
			return 1;
		if (child == 0)
			_exit(authenticate(argv[1], argv[i]));
		if (waitpid(child, &status, 0) != child)
			return 1;
		printf("%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	}
	return 0;
}
