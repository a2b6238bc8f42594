/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libFuzzer does not watch for by itself. An input that takes CPU_SECONDS of processor time or
 * more is a find: it may go on for ever. libFuzzer's own -timeout looks at the clock on the wall,
 * and calls a busy machine a find. Linked with --wrap=LLVMFuzzerTestOneInput, so that targets know
 * nothing of it. A timer that runs only while the process does looks, now and then, whether the
 * input is still the same. And what GLib calls critical or an error ends by SIGTRAP, with which the
 * input would be lost.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { CPU_SECONDS = 20 };

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): names of the linker */
int __real_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile sig_atomic_t inputs, inputs_before;

static void look(int number)
{
    static const char text[] = "the input has taken 20 s of processor time or more\n";
    (void)number;
    if (inputs == inputs_before) {
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        abort(); /* libFuzzer keeps the input */
    }
    inputs_before = inputs;
}

static void trapped(int number)
{
    (void)number;
    abort();
}

static void start(void)
{
    const struct itimerval every = {{CPU_SECONDS, 0}, {CPU_SECONDS, 0}};
    struct sigaction action = {0};
    action.sa_handler = look;
    action.sa_flags = SA_RESTART;
    (void)sigaction(SIGPROF, &action, NULL);
    action.sa_handler = trapped;
    (void)sigaction(SIGTRAP, &action, NULL);
    (void)setitimer(ITIMER_PROF, &every, NULL);
}

int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (inputs == 0)
        start();
    inputs = inputs == INT32_MAX ? 1 : inputs + 1;
    return __real_LLVMFuzzerTestOneInput(data, size);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
