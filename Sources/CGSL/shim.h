// The parts of the GNU Scientific Library that Statistics uses.
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_vector.h>
// Constants of the library, which Swift cannot see as globals.
static inline const gsl_multifit_nlinear_type *gslTrustRegion(void) { return gsl_multifit_nlinear_trust; }
