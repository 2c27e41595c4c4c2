/*
 * Types, statuses and methods as tables.
 */
#include "domain/transaction.h"

#include <stddef.h>
#include <string.h>

static const char *const types[TRANSACTION_TYPES] = {
	[TRANSACTION_TOPUP] = "TOPUP",
	[TRANSACTION_PAYMENT] = "PAYMENT",
	[TRANSACTION_REFUND] = "REFUND",
	[TRANSACTION_TRANSFER] = "TRANSFER",
};

static const char *const statuses[TRANSACTION_STATUSES] = {
	[TRANSACTION_PENDING] = "PENDING",
	[TRANSACTION_SUCCESS] = "SUCCESS",
	[TRANSACTION_FAILED] = "FAILED",
	[TRANSACTION_CANCELLED] = "CANCELLED",
};

static const char *const methods[PAYMENT_METHODS] = {
	[PAYMENT_METHOD_GOPAY] = "GOPAY",
	[PAYMENT_METHOD_SHOPEE_PAY] = "SHOPEE_PAY",
};

/* Row: from. Column: to. */
static const bool follows[TRANSACTION_STATUSES][TRANSACTION_STATUSES] = {
	[TRANSACTION_PENDING] = {
		[TRANSACTION_SUCCESS] = true,
		[TRANSACTION_FAILED] = true,
		[TRANSACTION_CANCELLED] = true,
	},
};

static const char *
name_at(const char *const *names, int count, int index)
{
	return (index >= 0 && index < count ? names[index] : NULL);
}

/* The index of NAME, -1 when it is not there. */
static int
find(const char *const *names, int count, const char *name)
{
	if (name == NULL)
		return (-1);
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return (i);
	}
	return (-1);
}

const char *
transaction_type_name(enum transaction_type type)
{
	return (name_at(types, TRANSACTION_TYPES, (int)type));
}

const char *
transaction_status_name(enum transaction_status status)
{
	return (name_at(statuses, TRANSACTION_STATUSES, (int)status));
}

const char *
payment_method_name(enum payment_method method)
{
	return (name_at(methods, PAYMENT_METHODS, (int)method));
}

bool
transaction_type_read(const char *name, enum transaction_type *type)
{
	int found = find(types, TRANSACTION_TYPES, name);

	if (found < 0)
		return (false);
	*type = (enum transaction_type)found;
	return (true);
}

bool
transaction_status_read(const char *name, enum transaction_status *status)
{
	int found = find(statuses, TRANSACTION_STATUSES, name);

	if (found < 0)
		return (false);
	*status = (enum transaction_status)found;
	return (true);
}

bool
payment_method_read(const char *name, enum payment_method *method)
{
	int found = find(methods, PAYMENT_METHODS, name);

	if (found < 0)
		return (false);
	*method = (enum payment_method)found;
	return (true);
}

bool
transaction_type_known(const char *name)
{
	return (find(types, TRANSACTION_TYPES, name) >= 0);
}

bool
transaction_status_known(const char *name)
{
	return (find(statuses, TRANSACTION_STATUSES, name) >= 0);
}

bool
payment_method_known(const char *name)
{
	return (find(methods, PAYMENT_METHODS, name) >= 0);
}

bool
transaction_may_become(enum transaction_status from, enum transaction_status to)
{
	if (transaction_status_name(from) == NULL ||
	    transaction_status_name(to) == NULL)
		return (false);
	return (follows[from][to]);
}

bool
transaction_is_final(enum transaction_status status)
{
	return (status != TRANSACTION_PENDING);
}
