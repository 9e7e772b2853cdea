"""Object Detection: single shot multibox detectors (SSD) on VGG-16 or ResNet-50."""
