/*
 * Whose address a request has. X-Forwarded-For is anybody's text: it is
 * believed from right to left and only as far as trusted proxies wrote it.
 */
#include "web/edge.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NETWORKS_MAX 64u
#define NETWORK_TEXT_SIZE 64u
#define ADDRESS_BYTES 16u

/* IPv4 as ::ffff:a.b.c.d, so that one comparison serves both. */
struct network {
	uint8_t address[ADDRESS_BYTES];
	unsigned bits;
};

static struct network networks[NETWORKS_MAX];
static unsigned network_count;

static bool
address_read(const char *text, uint8_t address[ADDRESS_BYTES], bool *is_v4)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		memset(address, 0, ADDRESS_BYTES - 6);
		memset(address + ADDRESS_BYTES - 6, 0xff, 2);
		memcpy(address + ADDRESS_BYTES - 4, &v4, 4);
		*is_v4 = true;
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	memcpy(address, &v6, ADDRESS_BYTES);
	*is_v4 = false;
	return true;
}

static void
address_write(const uint8_t address[ADDRESS_BYTES], char out[REQUEST_IP_SIZE])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(address, mapped, sizeof(mapped)) == 0)
		(void)inet_ntop(AF_INET, address + 12, out, REQUEST_IP_SIZE);
	else
		(void)inet_ntop(AF_INET6, address, out, REQUEST_IP_SIZE);
}

/* "10.0.0.0/8", "::1"; TEXT is changed. */
static bool
network_read(char *text, struct network *network)
{
	unsigned bits, widest;
	char *slash = strchr(text, '/');
	bool is_v4;
	int used = 0;

	if (slash != NULL)
		*slash++ = '\0';
	if (!address_read(text, network->address, &is_v4))
		return false;
	widest = is_v4 ? 32 : 128;
	bits = widest;
	if (slash != NULL &&
	    (sscanf(slash, "%3u%n", &bits, &used) != 1 || slash[used] != '\0' ||
		slash[0] < '0' || slash[0] > '9' || bits > widest))
		return false;
	network->bits = bits + (is_v4 ? 96 : 0);
	return true;
}

bool
address_trust(const char *text, char *wrong, size_t wrong_size)
{
	char item[NETWORK_TEXT_SIZE];
	size_t length;

	network_count = 0;
	while (*text != '\0') {
		text += strspn(text, ", ");
		length = strcspn(text, ", ");
		if (length == 0)
			break;
		(void)snprintf(wrong, wrong_size, "%.*s", (int)length, text);
		if (length >= sizeof(item) || network_count == NETWORKS_MAX)
			return false;
		memcpy(item, text, length);
		item[length] = '\0';
		if (!network_read(item, &networks[network_count]))
			return false;
		network_count++;
		text += length;
	}
	return true;
}

static bool
network_has(const struct network *network, const uint8_t *address)
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	if (memcmp(network->address, address, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	return ((network->address[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

static bool
is_trusted(const uint8_t address[ADDRESS_BYTES])
{
	unsigned i;

	for (i = 0; i < network_count; i++)
		if (network_has(&networks[i], address))
			return true;
	return false;
}

/* The last item of the list in TEXT[0..*LENGTH), which shrinks by it. */
static bool
last_item(const char *text, size_t *length, char item[NETWORK_TEXT_SIZE])
{
	size_t end = *length, start;

	while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == ','))
		end--;
	for (start = end; start > 0 && text[start - 1] != ','; start--)
		;
	*length = start;
	while (start < end && text[start] == ' ')
		start++;
	if (start == end || end - start >= NETWORK_TEXT_SIZE)
		return false;
	memcpy(item, text + start, end - start);
	item[end - start] = '\0';
	return true;
}

void
address_client(
    const char *peer, const char *forwarded, char out[REQUEST_IP_SIZE])
{
	uint8_t address[ADDRESS_BYTES], next[ADDRESS_BYTES];
	char item[NETWORK_TEXT_SIZE];
	size_t length = forwarded != NULL ? strlen(forwarded) : 0;
	bool is_v4;

	if (!address_read(peer, address, &is_v4)) {
		(void)snprintf(out, REQUEST_IP_SIZE, "%s", peer);
		return;
	}
	while (is_trusted(address) && last_item(forwarded, &length, item)) {
		if (!address_read(item, next, &is_v4))
			break; /* the proxy wrote no address: it stays the last */
		memcpy(address, next, sizeof(address));
	}
	address_write(address, out);
}
