/* Is each wrong setting refused with a line that names it, no secret shown? */
#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/config.h"

/* Sets each required setting of all modules. */
static void
environment_complete(void)
{
	clearenv();
#define CONFIG(id, kind, modules, fallback, lowest, highest, meaning)          \
	{                                                                      \
		const char *preset = (fallback);                               \
		if (preset == NULL)                                            \
			setenv("ONEGATE_" #id, "set", 1);                      \
	}
#include "io/config.def"
#undef CONFIG
}

static void
complete_environment_loads(void **state)
{
	char error[256] = "";

	(void)state;
	environment_complete();
	setenv("ONEGATE_ENV", "development", 1);
	setenv("ONEGATE_ARGON2_PASSES", "3", 1);
	assert_true(config_load(CONFIG_FOR_ALL, error, sizeof(error)));
	assert_string_equal(config_text(CONFIG_ENV), "development");
	assert_string_equal(config_text(CONFIG_REDIS), "set");
	assert_int_equal(config_number(CONFIG_ARGON2_PASSES), 3);
	assert_int_equal(config_number(CONFIG_ARGON2_MEMORY_KIB), 19456);
	assert_string_equal(config_text(CONFIG_TLS_KEY), "");
}

static void
wrong_values_are_named(void **state)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "ONEGATE_ENV", "prod" },
		{ "ONEGATE_ENV", "development|production" },
		{ "ONEGATE_LOG_LEVEL", "loud" },
		{ "ONEGATE_REDIS", NULL },
		{ "ONEGATE_REDIS", "" },
		{ "ONEGATE_REDIS", "127.0.0.1:1\n" },
		{ "ONEGATE_AUTH_PG", NULL },
		{ "ONEGATE_ARGON2_PASSES", "1" },
		{ "ONEGATE_ARGON2_PASSES", "17" },
		{ "ONEGATE_ARGON2_PASSES", "3 " },
		{ "ONEGATE_ARGON2_PASSES", " 3" },
		{ "ONEGATE_ARGON2_PASSES", "+3" },
		{ "ONEGATE_ARGON2_PASSES", "3.0" },
		{ "ONEGATE_ARGON2_PASSES", "0x3" },
		{ "ONEGATE_ARGON2_PASSES", "-" },
		{ "ONEGATE_ARGON2_PASSES", "99999999999999999999" },
	};
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		environment_complete();
		if (rows[i].value != NULL)
			setenv(rows[i].name, rows[i].value, 1);
		else
			unsetenv(rows[i].name);
		error[0] = '\0';
		assert_false(config_load(CONFIG_FOR_ALL, error, sizeof(error)));
		assert_non_null(strstr(error, rows[i].name));
		assert_null(strchr(error, '\n'));
	}
}

static void
settings_of_other_modules_are_not_asked(void **state)
{
	char error[256] = "";

	(void)state;
	environment_complete();
	unsetenv("ONEGATE_TRANSACTION_PG");
	assert_true(config_load(CONFIG_FOR_AUTH, error, sizeof(error)));
	assert_false(config_load(
	    CONFIG_FOR_AUTH | CONFIG_FOR_TRANSACTION, error, sizeof(error)));
	assert_non_null(strstr(error, "ONEGATE_TRANSACTION_PG"));
}

static void
secrets_come_from_files_and_stay_hidden(void **state)
{
	char path[] = "/tmp/onegate-config-XXXXXX", error[256] = "";
	const char *secret = "correct horse battery";
	int file = mkstemp(path);
	char *text = NULL;
	size_t length = 0;
	FILE *out;

	(void)state;
	assert_int_not_equal(file, -1);
	assert_int_equal(dprintf(file, "%s\n", secret), 22);
	close(file);
	environment_complete();
	setenv("ONEGATE_AUTH_PG_FILE", path, 1);
	assert_false(config_load(CONFIG_FOR_AUTH, error, sizeof(error)));
	assert_non_null(strstr(error, "both"));
	unsetenv("ONEGATE_AUTH_PG");
	assert_true(config_load(CONFIG_FOR_AUTH, error, sizeof(error)));
	assert_string_equal(config_text(CONFIG_AUTH_PG), secret);

	out = open_memstream(&text, &length);
	assert_non_null(out);
	config_print(out);
	fclose(out);
	assert_null(strstr(text, "horse"));
	assert_non_null(strstr(text, "ONEGATE_AUTH_PG=********"));
	assert_non_null(strstr(text, "origin: file"));
	free(text);

	unlink(path);
	assert_false(config_load(CONFIG_FOR_AUTH, error, sizeof(error)));
	assert_non_null(strstr(error, "ONEGATE_AUTH_PG_FILE"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complete_environment_loads),
		cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(settings_of_other_modules_are_not_asked),
		cmocka_unit_test(secrets_come_from_files_and_stay_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
