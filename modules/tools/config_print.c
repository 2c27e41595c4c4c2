/*
 * onegate-config: reads the configuration as a process with all three modules
 * would and prints every setting, secrets masked. Status 1 with one line on
 * stderr when something is missing or wrong. It connects to nothing.
 */
#include <stdio.h>

#include "io/config.h"

#define ERROR_SIZE 512

int
main(void)
{
	char error[ERROR_SIZE];

	if (!config_load(CONFIG_FOR_ALL, error, sizeof(error))) {
		(void)fprintf(stderr, "onegate: %s\n", error);
		return 1;
	}
	config_print(stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
