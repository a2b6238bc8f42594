/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd is told: ready once recording, a line of status, and the watchdog, which is fed only
 * while the recorder's thread turns and the main loop runs. A full disk is no reason to be killed:
 * then the thread still turns.
 */
#pragma once

#include "logger/recorder.h"

typedef struct Health Health;

/* (transfer full) */
Health *health_new(Recorder *recorder);
/* Tells systemd that we stop. NULL is allowed. */
void health_free(Health *health);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Health, health_free)
