/*
 * The worker's sandbox, whose hook Kore calls by itself.
 */
#ifndef ONEGATE_WEB_SECCOMP_H
#define ONEGATE_WEB_SECCOMP_H

#include <stdbool.h>

/*
 * True in a build with sanitizers, or when ONEGATE_SANDBOX is off and a
 * sanitizer or valgrind is preloaded: they make system calls of their own.
 * Nothing else can switch the sandbox off.
 */
bool sandbox_off(void);

#endif
