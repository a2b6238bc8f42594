/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QMI answers and indications turned into records. Pure: bytes in, values out; no library, no
 * device, no clock. The bytes are read as they came because libqmi's typed results leave out what
 * is needed (the 32-bit channels, TLVs 0x27 and 0x28 of the cell list; any TLV of indications it
 * does not know) and name TLVs of answers and indications apart.
 *
 * Codes that mean "unknown" never become values: see the table of tests/unit/logger/
 * test-qmi-convert.c. Layouts: Qualcomm's NAS, WDS, DMS and UIM services as libqmi 1.32 describes
 * them (data/qmi-service-*.json).
 */
#pragma once

#include "formats/bytes.h"
#include "formats/records.h"

/* One QMI service message: where its TLVs are. */
typedef struct {
    const guint8 *tlvs; /* borrowed */
    gsize length;
    guint8 service;
    guint16 message;
    gboolean indication;
} QmiTlvs;

/* Reads the head of a QMUX frame (RIG: 01 len16 flags service client | flags txn16 msg16 len16).
 * FALSE if it is cut or its lengths do not fit. */
gboolean qmi_tlvs_read(QmiTlvs *tlvs, const guint8 *frame, gsize length);

/* A reader of the value of a TLV; failed if there is none. */
ByteReader qmi_find(const QmiTlvs *tlvs, guint8 type);

/* The QMI error of an answer: 0 = success; -1 = no result TLV. */
int qmi_result(const QmiTlvs *tlvs);
#define QMI_RESULT_UNAVAILABLE 74

#define QMI_MAX_CARRIERS 8
#define QMI_CHAINS       4

/* What is known of a modem from the messages so far. Zeroed = nothing. */
typedef struct {
    Rat rat; /* of the main part; never RAT_NR_NSA here */
    ServiceState service;
    Sample cell; /* identity of the serving cell, and levels that are good for one sample */
    Sample leg;  /* nr_ columns of the NR leg; meaningful while levels of one are heard */
    char plmn[8];
    gboolean ps_attached, ps_known;
    char state[20]; /* as registrations.state */
    char network_name[64];
    gboolean cell_changed; /* set when the cell identity changed; the caller clears it */
    gboolean registration_changed;
} QmiState;

/* Each takes one message into the state. FALSE: it held nothing of use. */
gboolean qmi_take_serving_system(QmiState *state, const QmiTlvs *tlvs);
gboolean qmi_take_system_info(QmiState *state, const QmiTlvs *tlvs);
gboolean qmi_take_rf_band(QmiState *state, const QmiTlvs *tlvs);

/* Also fills up to `room` neighbours; returns how many. */
unsigned qmi_take_cells(QmiState *state, const QmiTlvs *tlvs, Neighbour *neighbours, unsigned room);

/* A sample from signal information and the state; without `tlvs` (the modem said that there is
 * none) from the state alone. FALSE: nothing can be said, not even that there is no service. */
gboolean qmi_make_sample(QmiState *state, const QmiTlvs *tlvs, Sample *sample);

unsigned qmi_read_carriers(const QmiTlvs *tlvs, Carrier *carriers, unsigned room);
/* Receive chains; *tx_power_dbm NAN where it is not sending. */
unsigned qmi_read_chains(const QmiTlvs *tlvs, Rat rat, Antenna *chains, unsigned room,
                         double *tx_power_dbm);
/* Bytes on the data connection. */
gboolean qmi_read_statistics(const QmiTlvs *tlvs, gint64 *rx_bytes, gint64 *tx_bytes);
/* Name of the bearer technology; NULL if unknown. */
const char *qmi_read_bearer(const QmiTlvs *tlvs);
/* What the data systems (DSD) make of it: LTE, LTE-CA, LTE+NR (EN-DC) or NR; NULL where older
 * systems, which qmi_read_bearer() names better, or none are there. */
const char *qmi_read_systems(const QmiTlvs *tlvs);
/* 1 present, 0 absent or in error, -1 not said. */
int qmi_read_sim(const QmiTlvs *tlvs);
/* A top-level string TLV. Returns: (transfer full) (nullable). */
char *qmi_read_text(const QmiTlvs *tlvs, guint8 type);

/* QmiNasActiveBand to the operating band number; 0 if unknown. */
int qmi_band(unsigned code);
