/*
 * What a fuzz target gives: one function that must survive any bytes (the
 * name is libFuzzer's, so a target also links with clang's -fsanitize=fuzzer)
 * and the good inputs from which the driver breeds bad ones.
 */
#ifndef ONEGATE_TEST_FUZZ_H
#define ONEGATE_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Tries DATA; ends the process when a promise is broken. Gives 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Good inputs, NULL ends; and short words of the format, NULL ends. */
extern const char *const fuzz_seeds[];
extern const char *const fuzz_words[];

/* Ends the process with the line when PROMISE does not hold. */
#define PROMISE(promise)                                                       \
	((promise) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #promise))

_Noreturn void fuzz_broken(const char *file, int line, const char *promise);

#endif
