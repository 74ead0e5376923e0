"""Arguments: numbers of any library, brackets that were forgotten, names that do not exist."""

from pathlib import Path

import numpy as np
import pytest
import torch

from coursekit.arguments import ArgumentError, did_you_mean, plain, refuse_arguments, refuse_class
from coursekit.core import (
    DataError,
    derive_seed,
)


@pytest.mark.parametrize("number", [np.float32(0.5), np.array(0.5), torch.tensor(0.5), 0.5])
def test_numbers_of_other_libraries_become_plain(number):
    assert plain(number) == 0.5 and type(plain(number)) is float


def test_an_argument_of_another_library_is_named_as_it_is_called_here():
    with pytest.raises(ArgumentError, match=r"no argument 'comp'(.|\n)*did you mean mode\?"):
        refuse_arguments("SaveBest", ["comp"], ["file", "monitor", "mode"])
    with pytest.raises(ArgumentError, match="did you mean monitor"):
        refuse_arguments("SaveBest", ["monitr"], ["file", "monitor"])
    assert did_you_mean("comp", ["get_x", "get_y"]) == ""  # what another function calls it is no help here


@pytest.mark.parametrize(("value", "functions"), [(DataError, False), ([1, DataError], False), (derive_seed, True)])
def test_a_class_in_place_of_an_object_is_refused(value, functions):
    with pytest.raises(ArgumentError, match=r"write \w+\(\.\.\.\)"):
        refuse_class("splitter", value, functions)


@pytest.mark.parametrize("value", [None, 3, Path, str.upper, lambda item: item, [Path(".")], derive_seed])
def test_functions_and_classes_of_others_are_no_mistake(value):
    refuse_class("get_y", value)


def test_a_name_of_another_library_is_suggested_only_where_there_is_such_an_argument():
    with pytest.raises(ArgumentError, match=r"It has get_x") as caught:
        refuse_arguments("DataBlock", ["batch_size"], ["get_x"])
    assert "did you mean bs" not in str(caught.value)
    with pytest.raises(ArgumentError, match="did you mean bs"):
        refuse_arguments("dataloaders", ["batch_size"], ["bs"])
