/*
 * Loading the keys of access tokens. It must never give a half-read set: a
 * file that cannot be used refuses the whole folder, and the old set stays.
 */
#include "web/token_keys.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#define PATH_SIZE 4096
#define PUBLIC_ENDING ".pub.pem"

struct jws_keys {
	size_t count;
	struct token_key keys[TOKEN_KEYS_MAX]; /* public, sorted by kid */
	struct token_key signing; /* key NULL: none */
};

/* Room for one line that says what is wrong. */
struct problem {
	char *text;
	size_t size;
};

static bool
fail(const struct problem *problem, const char *what, const char *name)
{
	(void)snprintf(problem->text, problem->size, "ONEGATE_JWT_KEYS: %s: %s",
	    name, what);
	return (false);
}

static FILE *
file_open(const char *folder, const char *name, const char *ending)
{
	char path[PATH_SIZE];
	int length =
	    snprintf(path, sizeof(path), "%s/%s%s", folder, name, ending);

	if (length < 0 || (size_t)length >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return (NULL);
	}
	return (fopen(path, "re"));
}

/* Reads KID's file into KEY, whose kid is set. */
static bool
key_read(const char *folder, const char *kid, bool private,
    struct token_key *key, const struct problem *problem)
{
	FILE *file = file_open(folder, kid, private ? ".pem" : PUBLIC_ENDING);

	if (file == NULL)
		return (fail(problem, strerror(errno), kid));
	key->key = private ? PEM_read_PrivateKey(file, NULL, NULL, NULL)
			   : PEM_read_PUBKEY(file, NULL, NULL, NULL);
	(void)fclose(file);
	if (key->key == NULL)
		return (fail(problem, "is no PEM key", kid));
	key->algorithm = jws_algorithm_of(key->key);
	if (key->algorithm == JWS_NO_ALGORITHM)
		return (fail(problem,
		    "is neither RSA of 2048 to 4096 bits nor P-256", kid));
	(void)snprintf(key->kid, sizeof(key->kid), "%s", kid);
	return (true);
}

/* The kid in NAME, "<kid>.pub.pem", into KID; false for other files. */
static bool
kid_of_file(const char *name, char kid[JWS_KID_SIZE])
{
	size_t length = strlen(name), ending = strlen(PUBLIC_ENDING);

	if (length <= ending || length - ending > JWS_KID_MAX ||
	    strcmp(name + length - ending, PUBLIC_ENDING) != 0 ||
	    !jws_kid_valid(name, length - ending))
		return (false);
	memcpy(kid, name, length - ending);
	kid[length - ending] = '\0';
	return (true);
}

static int
key_compare(const void *a, const void *b)
{
	return (strcmp(((const struct token_key *)a)->kid,
	    ((const struct token_key *)b)->kid));
}

static bool
public_keys_read(
    const char *folder, struct jws_keys *keys, const struct problem *problem)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	char kid[JWS_KID_SIZE];
	bool good = true;

	if (directory == NULL)
		return (fail(problem, strerror(errno), folder));
	while (good && (entry = readdir(directory)) != NULL) {
		if (!kid_of_file(entry->d_name, kid))
			continue;
		if (keys->count == TOKEN_KEYS_MAX)
			good = fail(problem, "holds too many keys", folder);
		else
			good = key_read(folder, kid, false,
			    &keys->keys[keys->count++], problem);
	}
	(void)closedir(directory);
	if (good && keys->count == 0)
		return (fail(problem, "holds no <kid>.pub.pem", folder));
	qsort(keys->keys, keys->count, sizeof(keys->keys[0]), key_compare);
	return (good);
}

static bool
signing_key_read(
    const char *folder, struct jws_keys *keys, const struct problem *problem)
{
	FILE *file = file_open(folder, "signing", "");
	char kid[JWS_KID_SIZE + 1] = "";
	const struct token_key *public;

	if (file == NULL)
		return (errno == ENOENT ||
		    fail(problem, strerror(errno), "signing"));
	if (fgets(kid, sizeof(kid), file) == NULL)
		kid[0] = '\0';
	(void)fclose(file);
	kid[strcspn(kid, "\r\n")] = '\0';
	if (!jws_kid_valid(kid, strlen(kid)))
		return (fail(problem, "holds no key's name", "signing"));
	public = token_keys_find(keys, kid);
	if (public == NULL)
		return (fail(problem, "has no public half here", kid));
	if (!key_read(folder, kid, true, &keys->signing, problem))
		return (false);
	if (EVP_PKEY_eq(public->key, keys->signing.key) != 1)
		return (fail(problem, "does not fit its public half", kid));
	return (true);
}

struct jws_keys *
token_keys_load(const char *folder, char *error, size_t error_size)
{
	struct problem problem = { error, error_size };
	struct jws_keys *keys = calloc(1, sizeof(*keys));

	if (keys == NULL) {
		(void)fail(&problem, strerror(errno), folder);
		return (NULL);
	}
	if (public_keys_read(folder, keys, &problem) &&
	    signing_key_read(folder, keys, &problem))
		return (keys);
	token_keys_free(keys);
	return (NULL);
}

void
token_keys_free(struct jws_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++)
		EVP_PKEY_free(keys->keys[i].key);
	EVP_PKEY_free(keys->signing.key);
	free(keys);
}

const struct token_key *
token_keys_find(const struct jws_keys *keys, const char *kid)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->keys[i].kid, kid) == 0)
			return (&keys->keys[i]);
	return (NULL);
}

const struct token_key *
token_keys_signing(const struct jws_keys *keys)
{
	return (keys->signing.key == NULL ? NULL : &keys->signing);
}

size_t
token_keys_count(const struct jws_keys *keys)
{
	return (keys->count);
}

const struct token_key *
token_keys_at(const struct jws_keys *keys, size_t index)
{
	return (&keys->keys[index]);
}
