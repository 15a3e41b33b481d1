"""Pictures with labels, as scikit-learn's loaders give them. Knows nothing of networks."""

from ._archives import DatasetError
from ._cifar10 import CLASS_NAMES as CIFAR10_CLASS_NAMES
from ._cifar10 import fetch_cifar10
from ._digits import load_digit_images
from ._download import DownloadError
from ._pictures import load_image_csv, load_image_files, load_image_folder, read_picture
from ._sources import load_all, load_train_test

__all__ = [
    "CIFAR10_CLASS_NAMES",
    "DatasetError",
    "DownloadError",
    "fetch_cifar10",
    "load_all",
    "load_digit_images",
    "load_image_csv",
    "load_image_files",
    "load_image_folder",
    "load_train_test",
    "read_picture",
]
