/*
 * See key_set.h. A set is read whole or not at all, and never changed.
 */
#include "web/key_set.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#define PATH_SIZE 4096
#define PUBLIC_END ".pub.pem"
#define PRIVATE_END ".pem"

static bool
ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);

	return length > tail && strcmp(name + length - tail, end) == 0;
}

/* The kid in the file name NAME, which ends with END. */
static bool
kid_of(const char *name, const char *end, char kid[JWS_KID_SIZE])
{
	size_t length = strlen(name) - strlen(end);

	if (!jws_kid_valid(name, length))
		return false;
	memcpy(kid, name, length);
	kid[length] = '\0';
	return true;
}

static EVP_PKEY *
pem_read(const char *folder, const char *name, bool is_private)
{
	char path[PATH_SIZE];
	EVP_PKEY *key;
	FILE *file;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >=
	    sizeof(path))
		return NULL;
	file = fopen(path, "re");
	if (file == NULL)
		return NULL;
	key = is_private ? PEM_read_PrivateKey(file, NULL, NULL, NULL)
			 : PEM_read_PUBKEY(file, NULL, NULL, NULL);
	(void)fclose(file);
	return key;
}

static struct key *
key_add(struct key_set *set, const char *kid)
{
	unsigned i;

	for (i = 0; i < set->count; i++)
		if (strcmp(set->keys[i].kid, kid) == 0)
			return &set->keys[i];
	if (set->count == KEY_SET_MAX)
		return NULL;
	memcpy(set->keys[i].kid, kid, strlen(kid) + 1);
	set->count++;
	return &set->keys[i];
}

/* Reads the file NAME into SET; other files are none of ours. */
static bool
file_add(struct key_set *set, const char *folder, const char *name)
{
	bool is_public = ends_with(name, PUBLIC_END);
	const char *end = is_public ? PUBLIC_END : PRIVATE_END;
	char kid[JWS_KID_SIZE];
	struct key *key;
	EVP_PKEY **half;

	if (!ends_with(name, end))
		return true;
	if (!kid_of(name, end, kid))
		return false;
	key = key_add(set, kid);
	if (key == NULL)
		return false;
	half = is_public ? &key->verifies : &key->signs;
	*half = pem_read(folder, name, !is_public);
	return *half != NULL;
}

/* Both halves are of one pair and of a kind that we use. */
static bool
key_check(struct key *key)
{
	if (key->verifies == NULL) {
		key->verifies = key->signs;
		(void)EVP_PKEY_up_ref(key->signs);
	}
	key->algorithm = jws_algorithm_of(key->verifies);
	if (key->algorithm == JWS_NO_ALGORITHM)
		return false;
	return key->signs == NULL ||
	    EVP_PKEY_eq(key->verifies, key->signs) == 1;
}

static int
by_kid(const void *a, const void *b)
{
	return strcmp(
	    ((const struct key *)a)->kid, ((const struct key *)b)->kid);
}

/* The kid in the file `signing`; no file is fine. */
static bool
signing_read(struct key_set *set, const char *folder)
{
	char path[PATH_SIZE], kid[JWS_KID_SIZE + 1] = "";
	FILE *file;

	if ((size_t)snprintf(path, sizeof(path), "%s/signing", folder) >=
	    sizeof(path))
		return false;
	file = fopen(path, "re");
	if (file == NULL)
		return true;
	if (fgets(kid, (int)sizeof(kid), file) == NULL)
		kid[0] = '\0';
	(void)fclose(file);
	kid[strcspn(kid, "\r\n")] = '\0';
	set->signing = key_set_find(set, kid);
	return set->signing != NULL && set->signing->signs != NULL;
}

static bool
folder_read(struct key_set *set, const char *folder, DIR *files, char *error,
    size_t error_size)
{
	const struct dirent *file;
	unsigned i;

	while ((file = readdir(files)) != NULL) {
		if (file_add(set, folder, file->d_name))
			continue;
		(void)snprintf(error, error_size,
		    "%s/%s is no key that can be read, or one too many", folder,
		    file->d_name);
		return false;
	}
	for (i = 0; i < set->count; i++) {
		if (key_check(&set->keys[i]))
			continue;
		(void)snprintf(error, error_size,
		    "%s: the key %s is neither RSA (2048 to 4096 bits) nor "
		    "P-256, or its halves do not fit",
		    folder, set->keys[i].kid);
		return false;
	}
	qsort(set->keys, set->count, sizeof(set->keys[0]), by_kid);
	if (set->count == 0) {
		(void)snprintf(error, error_size, "%s has no keys", folder);
		return false;
	}
	if (!signing_read(set, folder)) {
		(void)snprintf(error, error_size,
		    "%s/signing names no private key", folder);
		return false;
	}
	return true;
}

struct key_set *
key_set_load(const char *folder, char *error, size_t error_size)
{
	struct key_set *set = calloc(1, sizeof(*set));
	DIR *files = opendir(folder);
	bool loaded = false;

	if (set == NULL)
		(void)snprintf(error, error_size, "memory ran out");
	else if (files == NULL)
		(void)snprintf(
		    error, error_size, "%s cannot be opened", folder);
	else
		loaded = folder_read(set, folder, files, error, error_size);
	if (files != NULL)
		(void)closedir(files);
	if (loaded)
		return set;
	key_set_free(set);
	return NULL;
}

void
key_set_free(struct key_set *set)
{
	unsigned i;

	if (set == NULL)
		return;
	for (i = 0; i < set->count; i++) {
		EVP_PKEY_free(set->keys[i].verifies);
		EVP_PKEY_free(set->keys[i].signs);
	}
	free(set);
}

const struct key *
key_set_find(const struct key_set *set, const char *kid)
{
	unsigned i;

	for (i = 0; i < set->count; i++)
		if (strcmp(set->keys[i].kid, kid) == 0)
			return &set->keys[i];
	return NULL;
}
