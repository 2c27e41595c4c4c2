/*
 * The configuration: environment variables ONEGATE_*, read once into a table
 * that config.def describes, checked, then constant.
 */
#ifndef ONEGATE_IO_CONFIG_H
#define ONEGATE_IO_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum config_id {
#define CONFIG(id, ...) CONFIG_##id,
#include "config.def"
#undef CONFIG
	CONFIG_COUNT
};

/* Which module needs which settings: those of others are not asked for. */
#define CONFIG_FOR_AUTH 1u
#define CONFIG_FOR_PAYMENT 2u
#define CONFIG_FOR_TRANSACTION 4u
#define CONFIG_FOR_ALL 7u

/*
 * Reads and checks what MODULES (an or of CONFIG_FOR_*) need; may be called
 * again with more modules. False: ERROR has one clear line that names the
 * variable and what it takes.
 */
bool config_load(unsigned modules, char *error, size_t error_size);

/* Text ("" when not set and optional); numbers; flags. */
const char *config_text(enum config_id id);
int64_t config_number(enum config_id id);
bool config_flag(enum config_id id);

/* Prints all settings: name, value (secrets masked), default, origin
 * (default, environment, file), meaning. */
void config_print(FILE *out);

#endif
