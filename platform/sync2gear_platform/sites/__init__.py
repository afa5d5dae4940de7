"""Places and what stands there: locations, facilities, floors, zones, devices."""
