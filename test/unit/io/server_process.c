/* Running the other side of a test, and ending it in every case. */
#include "server_process.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_TRIES 200 /* of 50 ms */

extern char **environ;

bool
folder_new(char path[64])
{
	(void)snprintf(path, 64, "/tmp/onegate-test-XXXXXX");
	return mkdtemp(path) != NULL;
}

bool
program_run(const char *const argv[])
{
	pid_t process;
	int status;

	if (posix_spawnp(&process, argv[0], NULL, NULL, (char *const *)argv,
		environ) != 0)
		return false;
	return waitpid(process, &status, 0) == process && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0;
}

pid_t
program_start(const char *const argv[])
{
	pid_t process = fork();

	if (process != 0)
		return process;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execvp(argv[0], (char *const *)argv);
	_exit(127);
}

void
program_end(pid_t process, int signal_number)
{
	if (process <= 0)
		return;
	(void)kill(process, signal_number);
	(void)waitpid(process, NULL, 0);
}

static int
socket_at(int port, struct sockaddr_in *address)
{
	*address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

bool
port_wait(int port)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		struct sockaddr_in address;
		int descriptor = socket_at(port, &address);
		int connected = connect(
		    descriptor, (struct sockaddr *)&address, sizeof(address));

		close(descriptor);
		if (connected == 0)
			return true;
		(void)poll(NULL, 0, 50);
	}
	return false;
}

int
port_free(void)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	int descriptor = socket_at(0, &address);
	int port = -1;

	if (bind(descriptor, (struct sockaddr *)&address, length) == 0 &&
	    getsockname(descriptor, (struct sockaddr *)&address, &length) == 0)
		port = ntohs(address.sin_port);
	close(descriptor);
	return port;
}
