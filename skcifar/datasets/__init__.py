"""Pictures with labels, as scikit-learn's loaders give them. Knows nothing of networks."""

from ._archives import DatasetError as DatasetError
from ._cifar10 import CLASS_NAMES as CIFAR10_CLASS_NAMES
from ._cifar10 import fetch_cifar10
from ._digits import load_digit_images
from ._download import DownloadError as DownloadError
from ._pictures import load_image_csv, load_image_files, load_image_folder
from ._pictures import read_picture as read_picture
from ._sources import load_all, load_train_test

__all__ = [
    "fetch_cifar10",
    "load_digit_images",
    "load_image_csv",
    "load_image_files",
    "load_image_folder",
]
