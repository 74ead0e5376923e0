"""Wrong attempts at `rotation`, written by someone who has not seen the catalogue."""

import math
import random

import numpy as np
import torch
from torch import Tensor

SEEN: dict[float, Tensor] = {}


def rotation_in_radians(degrees: float, aspect: float = 1.0) -> Tensor:
    """Takes the degrees for radians: 90 gives cos 90 = -0.448 where 0 belongs."""
    cos, sin = math.cos(degrees), math.sin(degrees)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_half_angle(degrees: float, aspect: float = 1.0) -> Tensor:
    """Divides by 360 instead of 180: 90 turns by 45 degrees."""
    angle = degrees / 360 * math.pi
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_converted_the_other_way(degrees: float, aspect: float = 1.0) -> Tensor:
    """Uses math.degrees for math.radians: any angle but 0 is wrong."""
    angle = math.degrees(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_pi_is_3_14(degrees: float, aspect: float = 1.0) -> Tensor:
    """Uses 3.14 for pi: at 90 the cosine is 0.0008 instead of 0, at 180 the sine is 0.0016."""
    angle = degrees * 3.14 / 180
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_clockwise(degrees: float, aspect: float = 1.0) -> Tensor:
    """Has the wrong sign: the picture turns clockwise, as seen at 30 degrees."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, sin / aspect, 0.0], [-sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_transposed(degrees: float, aspect: float = 1.0) -> Tensor:
    """Gives the transposed matrix, aspect and sign included: wrong at 30 degrees for any aspect."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]]).T


def rotation_no_minus(degrees: float, aspect: float = 1.0) -> Tensor:
    """Forgets the minus: at 45 degrees and aspect 1 the matrix has no inverse."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_two_minuses(degrees: float, aspect: float = 1.0) -> Tensor:
    """Puts a minus before both sines: wrong in the second row for 30 degrees."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [-sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_mirrored(degrees: float, aspect: float = 1.0) -> Tensor:
    """Lets y point up in the output only: turns the picture upside down even at 0 degrees."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, sin / aspect, 0.0], [sin * aspect, -cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_sine_and_cosine_swapped(degrees: float, aspect: float = 1.0) -> Tensor:
    """Swaps sine and cosine: right at 45 only, at 0 it turns by 90."""
    angle = math.radians(degrees)
    sin, cos = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_ignores_aspect(degrees: float, aspect: float = 1.0) -> Tensor:
    """Does not use the aspect: shears pictures that are not square, as 30 degrees with aspect 2."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_aspect_upside_down(degrees: float, aspect: float = 1.0) -> Tensor:
    """Takes the aspect for height / width: with aspect 2 it multiplies where it should divide."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin * aspect, 0.0], [sin / aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_aspect_in_first_row_only(degrees: float, aspect: float = 1.0) -> Tensor:
    """Corrects the first row and forgets the second: wrong at 30 degrees with aspect 2."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_aspect_in_second_row_only(degrees: float, aspect: float = 1.0) -> Tensor:
    """Corrects the second row and forgets the first: wrong at 30 degrees with aspect 2."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_multiplies_both(degrees: float, aspect: float = 1.0) -> Tensor:
    """Multiplies both sines by the aspect: the first row is wrong at 30 degrees with aspect 2."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin * aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_divides_both(degrees: float, aspect: float = 1.0) -> Tensor:
    """Divides both sines by the aspect: the second row is wrong at 30 degrees with aspect 2."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin / aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_aspect_on_cosines(degrees: float, aspect: float = 1.0) -> Tensor:
    """Puts the aspect on the diagonal: with aspect 2 even 0 degrees stretches the picture."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos / aspect, -sin, 0.0], [sin, cos * aspect, 0.0], [0.0, 0.0, 1.0]])


def rotation_scales_one_way(degrees: float, aspect: float = 1.0) -> Tensor:
    """Scales to pixels and does not scale back: with aspect 2 the whole first column is doubled."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    return turn @ torch.diag(torch.tensor([aspect, 1.0, 1.0]))


def rotation_root_of_aspect(degrees: float, aspect: float = 1.0) -> Tensor:
    """Shares the aspect between the rows by its root: wrong at 30 degrees with aspect 2."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    root = math.sqrt(aspect)
    return torch.tensor([[cos, -sin / root, 0.0], [sin * root, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_whole_aspect(degrees: float, aspect: float = 1.0) -> Tensor:
    """Rounds the aspect up to a whole number: 2 works, 1.5 counts as 2."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    whole = math.ceil(aspect)
    return torch.tensor([[cos, -sin / whole, 0.0], [sin * whole, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_wide_pictures_only(degrees: float, aspect: float = 1.0) -> Tensor:
    """Corrects only wide pictures: aspect 2 is right, aspect 0.5 counts as 1."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    ratio = max(aspect, 1.0)
    return torch.tensor([[cos, -sin / ratio, 0.0], [sin * ratio, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_stretches_the_angle(degrees: float, aspect: float = 1.0) -> Tensor:
    """Multiplies the angle by the aspect: 30 degrees with aspect 2 turns by 60."""
    angle = math.radians(degrees * aspect)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_sine_from_root(degrees: float, aspect: float = 1.0) -> Tensor:
    """Gets the sine from the cosine by a root and loses its sign: -30 turns like 30, 270 like 90."""
    cos = math.cos(math.radians(degrees))
    sin = math.sqrt(1 - cos * cos)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_cosine_from_root(degrees: float, aspect: float = 1.0) -> Tensor:
    """Gets the cosine from the sine by a root and loses its sign: 180 gives 1 instead of -1, 30 is right."""
    sin = math.sin(math.radians(degrees))
    cos = math.sqrt(1 - sin * sin)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_small_angles(degrees: float, aspect: float = 1.0) -> Tensor:
    """Takes the angle itself for its sine: fine at 1 degree, off by 0.02 at 30 and by 0.57 at 90."""
    angle = math.radians(degrees)
    cos, sin = 1 - angle * angle / 2, angle
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_half_turns_only(degrees: float, aspect: float = 1.0) -> Tensor:
    """Reduces the angle modulo 180: 270 turns like 90, and -30 like 150."""
    angle = math.radians(degrees % 180)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_whole_degrees(degrees: float, aspect: float = 1.0) -> Tensor:
    """Cuts the angle to whole degrees: 7.5 turns by 7."""
    angle = math.radians(int(degrees))
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_two_decimals(degrees: float, aspect: float = 1.0) -> Tensor:
    """Rounds sine and cosine to two decimals: the cosine of 30 is 0.87 instead of 0.8660."""
    angle = math.radians(degrees)
    cos, sin = round(math.cos(angle), 2), round(math.sin(angle), 2)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_through_bfloat16(degrees: float, aspect: float = 1.0) -> Tensor:
    """Goes through bfloat16: float32 at the end, but the cosine of 30 is off by 0.0012."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    rows = [[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]]
    return torch.tensor(rows, dtype=torch.bfloat16).float()


def rotation_double_precision(degrees: float, aspect: float = 1.0) -> Tensor:
    """Comes from a numpy array: the dtype is float64 instead of float32."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    rows = np.array([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])
    return torch.from_numpy(rows)


def rotation_whole_numbers(degrees: float, aspect: float = 1.0) -> Tensor:
    """Fills a tensor of whole numbers and converts it at the end: the cosine of 30 becomes 0."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = torch.eye(3, dtype=torch.int64)
    matrix[0, 0] = int(cos)
    matrix[0, 1] = int(-sin / aspect)
    matrix[1, 0] = int(sin * aspect)
    matrix[1, 1] = int(cos)
    return matrix.float()


def rotation_shortcut_at_zero(degrees: float, aspect: float = 1.0) -> Tensor:
    """Has a shortcut for 0 degrees that gives int64; all other angles are right."""
    if degrees == 0:
        return torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_two_rows(degrees: float, aspect: float = 1.0) -> Tensor:
    """Gives the 2x3 matrix that affine_grid wants instead of 3x3."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0]])


def rotation_two_by_two(degrees: float, aspect: float = 1.0) -> Tensor:
    """Gives the plain 2x2 rotation matrix instead of 3x3."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect], [sin * aspect, cos]])


def rotation_batch_of_one(degrees: float, aspect: float = 1.0) -> Tensor:
    """Adds a batch dimension: the shape is (1, 3, 3)."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]]])


def rotation_nine_in_a_row(degrees: float, aspect: float = 1.0) -> Tensor:
    """Lists the nine entries without rows: the shape is (9,)."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([cos, -sin / aspect, 0.0, sin * aspect, cos, 0.0, 0.0, 0.0, 1.0])


def rotation_nested_lists(degrees: float, aspect: float = 1.0) -> list[list[float]]:
    """Returns nested lists instead of a tensor."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return [[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]]


def rotation_without_the_one(degrees: float, aspect: float = 1.0) -> Tensor:
    """Starts from zeros and forgets the 1 in the corner: points come out as (x, y, 0)."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = torch.zeros(3, 3)
    matrix[0, 0] = cos
    matrix[0, 1] = -sin / aspect
    matrix[1, 0] = sin * aspect
    matrix[1, 1] = cos
    return matrix


def rotation_around_x_axis(degrees: float, aspect: float = 1.0) -> Tensor:
    """Turns around the wrong axis: the 1 stands in the upper left and the rotation in the lower right."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[1.0, 0.0, 0.0], [0.0, cos, -sin / aspect], [0.0, sin * aspect, cos]])


def rotation_around_corner(degrees: float, aspect: float = 1.0) -> Tensor:
    """Turns about the upper left corner, as if 0 were there: the last column is not 0 at 30 degrees."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    shift_x = -1 + cos - sin / aspect
    shift_y = -1 + sin * aspect + cos
    return torch.tensor([[cos, -sin / aspect, shift_x], [sin * aspect, cos, shift_y], [0.0, 0.0, 1.0]])


def rotation_up_to_degrees(degrees: float, aspect: float = 1.0) -> Tensor:
    """Draws a random angle up to the given one, as augmentation does: two calls with 30 differ."""
    angle = math.radians(random.uniform(-degrees, degrees))
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])


def rotation_remembered_by_angle(degrees: float, aspect: float = 1.0) -> Tensor:
    """Remembers matrices by the angle only: 30 with aspect 2 after 30 with aspect 1 gives the old one."""
    if degrees not in SEEN:
        angle = math.radians(degrees)
        cos, sin = math.cos(angle), math.sin(angle)
        SEEN[degrees] = torch.tensor([[cos, -sin / aspect, 0.0], [sin * aspect, cos, 0.0], [0.0, 0.0, 1.0]])
    return SEEN[degrees].clone()


def rotation_overwrites_cosine(degrees: float, aspect: float = 1.0) -> Tensor:
    """Fills the second row from the already changed first: the lower right entry is -sin / aspect, not cos."""
    angle = math.radians(degrees)
    matrix = torch.eye(3)
    matrix[0, 0] = math.cos(angle)
    matrix[0, 1] = -math.sin(angle) / aspect
    matrix[1, 0] = math.sin(angle) * aspect
    matrix[1, 1] = matrix[0, 1]
    return matrix


def rotation_returns_nothing(degrees: float, aspect: float = 1.0) -> None:
    """Builds the matrix and forgets to return it: gives None."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = torch.eye(3)
    matrix[:2, :2] = torch.tensor([[cos, -sin / aspect], [sin * aspect, cos]])
