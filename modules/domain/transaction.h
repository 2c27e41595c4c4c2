/*
 * What a transaction can be: its types, statuses and payment methods by the
 * names of the contract, and which status may follow which.
 */
#ifndef ONEGATE_DOMAIN_TRANSACTION_H
#define ONEGATE_DOMAIN_TRANSACTION_H

#include <stdbool.h>

enum transaction_type {
	TRANSACTION_TOPUP,
	TRANSACTION_PAYMENT,
	TRANSACTION_REFUND,
	TRANSACTION_TRANSFER,
	TRANSACTION_TYPES
};

enum transaction_status {
	TRANSACTION_PENDING,
	TRANSACTION_SUCCESS,
	TRANSACTION_FAILED,
	TRANSACTION_CANCELLED,
	TRANSACTION_STATUSES
};

enum payment_method {
	PAYMENT_METHOD_GOPAY,
	PAYMENT_METHOD_SHOPEE_PAY,
	PAYMENT_METHODS
};

/* The name of the contract ("TOPUP"), NULL for a value out of range. */
const char *transaction_type_name(enum transaction_type type);
const char *transaction_status_name(enum transaction_status status);
const char *payment_method_name(enum payment_method method);

/* The value of a name, exactly as written; false for others and NULL. */
bool transaction_type_read(const char *name, enum transaction_type *type);
bool transaction_status_read(const char *name, enum transaction_status *status);
bool payment_method_read(const char *name, enum payment_method *method);

bool transaction_type_known(const char *name);
bool transaction_status_known(const char *name);
bool payment_method_known(const char *name);

/*
 * Whether a provider operation or payment may go FROM one status TO another:
 * PENDING -> SUCCESS | FAILED | CANCELLED, and nothing after that.
 */
bool transaction_may_become(
    enum transaction_status from, enum transaction_status to);

/* Whether nothing can follow STATUS. */
bool transaction_is_final(enum transaction_status status);

#endif
