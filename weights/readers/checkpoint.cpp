#include "weights/readers/checkpoint.h"
