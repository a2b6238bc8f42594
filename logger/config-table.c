/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every key of corridor-logger.conf(5). To add a section from another file: declare
 * `extern const ConfigSection config_section_x;` in its header and name it in config_sections.
 */
#include "logger/config-table.h"

#include "logger/probe-config.h"

#include <stddef.h>

#define AT(Struct, field) offsetof(Struct, field)
#define FOREVER           (366.0 * 86400.0)
#define HUGE_SIZE         1e15

static const char *const drivers[] = {"qmi", "mbim", "replay", NULL};
static const char *const gps_drivers[] = {"gpsd", "replay", NULL};
static const char *const places[] = {"unknown", "roof", "cabin", NULL};

#define TEXT(Struct, name, field, def, help)                                                       \
    {                                                                                              \
        name, CONFIG_TEXT, AT(Struct, field), def, 0, 0, NULL, NULL, help                          \
    }
#define BOOL(Struct, name, field, def, help)                                                       \
    {                                                                                              \
        name, CONFIG_BOOL, AT(Struct, field), def, 0, 0, NULL, NULL, help                          \
    }
#define INT(Struct, name, field, def, min, max, help)                                              \
    {                                                                                              \
        name, CONFIG_INT, AT(Struct, field), def, min, max, NULL, NULL, help                       \
    }
#define REAL(Struct, name, field, def, min, max, unit, help)                                       \
    {                                                                                              \
        name, CONFIG_REAL, AT(Struct, field), def, min, max, unit, NULL, help                      \
    }
#define DURATION(Struct, name, field, def, min, max, help)                                         \
    {                                                                                              \
        name, CONFIG_DURATION, AT(Struct, field), def, min, max, NULL, NULL, help                  \
    }
#define SIZE(Struct, name, field, def, min, help)                                                  \
    {                                                                                              \
        name, CONFIG_SIZE, AT(Struct, field), def, min, HUGE_SIZE, NULL, NULL, help                \
    }
#define CHOICE(Struct, name, field, def, words, help)                                              \
    {                                                                                              \
        name, CONFIG_CHOICE, AT(Struct, field), def, 0, 0, NULL, words, help                       \
    }

static const ConfigRow vehicle_rows[] = {
    TEXT(ConfigVehicle, "name", name, "vehicle", "name of the vehicle, part of each drive's name"),
    TEXT(ConfigVehicle, "comment", comment, NULL, "kept in each drive"),
};

static const ConfigRow store_rows[] = {
    TEXT(ConfigStore, "folder", folder, "/var/lib/corridor", "where drives are written"),
    DURATION(ConfigStore, "commit", commit_ns, "800 ms", 0.1, 1,
             "a power cut loses no more than this and a flush"),
    DURATION(ConfigStore, "rotate-after", rotate_after_ns, "24 h", 0, FOREVER,
             "a new drive after this time; 0 s = never"),
    SIZE(ConfigStore, "rotate-size", rotate_size, "256 MiB", 0,
         "a new drive at this size; 0 B = never"),
    DURATION(ConfigStore, "rotate-standstill", rotate_standstill_ns, "10 min", 0, FOREVER,
             "a new drive once the vehicle has stood this long; 0 s = never"),
    SIZE(ConfigStore, "budget", budget, "8 GiB", 0,
         "all drives together; then recording stops, nothing is deleted; 0 B = no limit"),
    SIZE(ConfigStore, "keep-free", keep_free, "64 MiB", 0,
         "left free on the disk: recording stops there"),
    SIZE(ConfigStore, "warn-free", warn_free, "512 MiB", 0, "event disk-low below this"),
    BOOL(ConfigStore, "seal", seal, "yes",
         "make closed drives small, those of earlier runs too, when there is time"),
    BOOL(ConfigStore, "evidence", evidence, "yes",
         "write the hash of each closed drive, and its place in the chain of drives, beside it"),
    TEXT(ConfigStore, "sign-key", sign_key, NULL,
         "sign the evidence with this private key (PEM, Ed25519), without a passphrase"),
};

static const ConfigRow identity_rows[] = {
    BOOL(ConfigIdentity, "clear", clear, "no",
         "store IMEI and ICCID as they are instead of as a keyed hash"),
    TEXT(ConfigIdentity, "key-file", key_file, NULL,
         "key of the hashes; made when absent; default identity.key in the store's folder"),
};

static const ConfigRow gps_rows[] = {
    BOOL(ConfigGps, "enabled", enabled, "yes", "record positions"),
    CHOICE(ConfigGps, "driver", driver, "gpsd", gps_drivers, "gpsd or replay"),
    TEXT(ConfigGps, "host", host, "localhost", "where gpsd listens"),
    INT(ConfigGps, "port", port, "2947", 1, 65535, "port of gpsd"),
    TEXT(ConfigGps, "device", device, NULL, "only this receiver of gpsd's"),
    DURATION(ConfigGps, "stale-after", stale_ns, "3 s", 0.2, 3600,
             "silence after which the position counts as lost"),
    DURATION(ConfigGps, "latency", latency_ns, "0 ms", 0, 5,
             "from the instant of a fix to its arrival, where there is no PPS"),
    REAL(ConfigGps, "standstill-speed", standstill_mps, "1 m/s", 0, 20, "m/s",
         "below this the vehicle stands"),
    TEXT(ConfigGps, "file", replay_file, NULL,
         "replay: the drive to play; with its modems, given as [modem] with driver = replay"),
    TEXT(ConfigGps, "source", replay_label, NULL,
         "replay: label of the source to play; default the first receiver"),
    REAL(ConfigGps, "speed", replay_speed, "1", 0.01, 1000, NULL,
         "replay: times as fast as it was recorded"),
};

static const ConfigRow status_rows[] = {
    TEXT(ConfigStatus, "socket", socket, "/run/corridor/logger.sock",
         "Unix socket of `corridor-logger status`"),
};

static const ConfigRow modem_rows[] = {
    CHOICE(ConfigModem, "driver", driver, "qmi", drivers, "qmi, mbim or replay"),
    TEXT(ConfigModem, "device", device, NULL,
         "device node, for example /dev/cdc-wdm0; with imei-hash a pattern, for example "
         "/dev/cdc-wdm*"),
    TEXT(ConfigModem, "usb-path", usb_path, NULL,
         "USB port instead of a device node, as `corridor-logger check` shows it, for example "
         "1-1.4"),
    TEXT(ConfigModem, "imei-hash", imei_hash, NULL,
         "start of the IMEI's hash, as `corridor-logger check` shows it: the modem wherever it is"),
    TEXT(ConfigModem, "interface", interface, NULL,
         "its network interface, for probes; default found by itself"),
    TEXT(ConfigModem, "operator", operator_label, NULL, "operator as reports name it"),
    TEXT(ConfigModem, "home-plmn", home_plmn, NULL, "MCC and MNC of the SIM, 5 or 6 digits"),
    CHOICE(ConfigModem, "antenna-place", place, "unknown", places, "roof, cabin or unknown"),
    REAL(ConfigModem, "antenna-gain", antenna_gain_dbi, NULL, -30, 30, "dBi", "antenna gain"),
    REAL(ConfigModem, "cable-loss", cable_loss_db, NULL, 0, 60, "dB",
         "loss between antenna and modem"),
    REAL(ConfigModem, "floor", floor_dbm, NULL, -160, -80, "dBm", "lowest level the modem reports"),
    DURATION(ConfigModem, "interval", interval_ns, "1 s", 0.1, 60, "time between two samples"),
    DURATION(ConfigModem, "cell-interval", cell_interval_ns, "1 s", 0.1, 60,
             "time between two lists of cells, carriers and antennas"),
    DURATION(ConfigModem, "card-interval", card_interval_ns, "5 s", 0.1, 600,
             "time between two looks at SIM card, data volume and bearer"),
    DURATION(ConfigModem, "timeout", timeout_ns, "5 s", 0.2, 60, "an answer later is no answer"),
    DURATION(ConfigModem, "wedge-after", wedge_ns, "15 s", 1, 3600,
             "without any answer for this long the modem is opened again"),
    BOOL(ConfigModem, "proxy", proxy, "yes",
         "go through qmi-proxy or mbim-proxy, so that ModemManager can run beside"),
    TEXT(ConfigModem, "proxy-path", proxy_path, NULL,
         "abstract socket instead of qmi-proxy (qmi only)"),
    BOOL(ConfigModem, "no-file-check", no_file_check, "no",
         "the device node need not exist here (qmi only, with proxy-path)"),
    BOOL(ConfigModem, "antennas", antennas, "yes", "record the level of each receive chain (qmi)"),
    BOOL(ConfigModem, "qmi-over-mbim", qmi_over_mbim, "yes",
         "mbim: use QMI through MBIM where the modem offers it"),
    TEXT(ConfigModem, "file", replay_file, NULL, "replay: the drive to play"),
    TEXT(ConfigModem, "source", replay_label, NULL,
         "replay: label of the source to play; default the first modem"),
    REAL(ConfigModem, "speed", replay_speed, "1", 0.01, 1000, NULL,
         "replay: times as fast as it was recorded"),
};

#define SECTION(id, Struct, NAME, MANY, HELP)                                                      \
    const ConfigSection config_section_##id = {NAME, MANY,      sizeof(Struct),                    \
                                               HELP, id##_rows, G_N_ELEMENTS(id##_rows)}

SECTION(vehicle, ConfigVehicle, "vehicle", FALSE, "the vehicle the box rides in");
SECTION(store, ConfigStore, "store", FALSE, "where and how drives are written");
SECTION(identity, ConfigIdentity, "identity", FALSE, "what may be known of modems and SIMs");
SECTION(gps, ConfigGps, "gps", FALSE, "positions and time, from gpsd");
SECTION(status, ConfigStatus, "status", FALSE, "the live view");
SECTION(modem, ConfigModem, "modem", TRUE,
        "one section for each modem; the label names the source");

const ConfigSection *const config_sections[] = {
    &config_section_vehicle,   &config_section_store,  &config_section_identity,
    &config_section_gps,       &config_section_status, &config_section_modem,
    &config_section_reflector, &config_section_probes, NULL,
};
