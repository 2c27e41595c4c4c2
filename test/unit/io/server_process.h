/* Real servers for tests: a folder that goes away, and programs to run. */
#ifndef ONEGATE_TEST_SERVER_PROCESS_H
#define ONEGATE_TEST_SERVER_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Makes a folder under /tmp; PATH is filled. */
bool folder_new(char path[64]);

/* Runs ARGV and waits for it; true when it ended with 0. */
bool program_run(const char *const argv[]);

/* Starts ARGV, which dies with us; its process id or -1. */
pid_t program_start(const char *const argv[]);
/* Ends the process by SIGNAL and waits for it. */
void program_end(pid_t process, int signal_number);

/* Waits at most 10 s for something to listen on 127.0.0.1:PORT. */
bool port_wait(int port);
/* A port that was free a moment ago. */
int port_free(void);

#endif
