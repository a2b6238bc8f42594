/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loss into a vehicle, to be added to levels measured in its cabin (docs/method.md, "Antenna"):
 * from the table `vehicle_loss` of compared results, or as numbers "18.2" (all bands), "20=18.2",
 * "12,20=18.2,8=9" (dB; bands by number, the one without a band for all others).
 */
#pragma once

#include <glib.h>

/* Bands by number; 0 = band not known. */
#define VEHICLE_LOSS_BANDS 512

typedef struct VehicleLoss VehicleLoss;

/* A name that ends in .gpkg is a file. Losses are 0 to 60 dB. Errors: LAYER_ERROR.
 * Returns: (transfer full): free with vehicle_loss_free(). */
VehicleLoss *vehicle_loss_read(const char *text, GError **error);
void vehicle_loss_free(VehicleLoss *loss);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VehicleLoss, vehicle_loss_free)

/* Losses by band for an operator, dB: its own for the band, else that of all operators for the
 * band, else that of all bands, else 0. (transfer full) array of VEHICLE_LOSS_BANDS. */
double *vehicle_loss_by_band(const VehicleLoss *loss, const char *operator_label);

/* "band 20 18.2 dB (17.5 to 19.0), other bands 12.0 dB" (transfer full) */
char *vehicle_loss_text(const VehicleLoss *loss, const char *operator_label);
