/* SPDX-License-Identifier: Apache-2.0 */
/* The sections that config.c has fields for; other sections are reached by config_section(). */
#pragma once

#include "logger/config.h"

extern const ConfigSection config_section_vehicle, config_section_store, config_section_identity,
    config_section_gps, config_section_status, config_section_modem;
