"""The checker: each mistake has a diagnosis of its own, right code passes, and code written apart is not let through."""

import dataclasses
import importlib.util
import inspect
import json
import re
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from coursekit import losses
from coursekit.core import DataError
from coursekit.course import check, hint, solution, solved
from coursekit.course.checker import all_exercises
from coursekit.course.comparison import compare, describe_value
from coursekit.course.exercises import Exercise, Misconception, Probe, example_of, judge, source_of
from coursekit.course.progress import Record, read_record
from coursekit.course.quiz import Question, quiz
from tools.notebooks import find_notebooks

EXERCISES = all_exercises()
ATTEMPTS = Path(__file__).with_name("attempts")
DIAGNOSES = json.loads((ATTEMPTS / "diagnoses.json").read_text("utf-8"))


def attempts(exercise: str) -> dict[str, Callable]:
    """The wrong functions of a file that was written by somebody who had not seen the catalogue."""
    spec = importlib.util.spec_from_file_location(f"attempts_at_{exercise}", ATTEMPTS / f"{exercise}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    functions = inspect.getmembers(module, inspect.isfunction)
    return {name: f for name, f in functions if f.__module__ == module.__name__ and not name.startswith("_")}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_reference_and_all_accepted_variants_pass(name: str) -> None:
    exercise = EXERCISES[name]
    for right in (exercise.reference, *exercise.accepted):
        result = judge(exercise, right)
        assert result.passed and result.diagnosis is None, result.message


@pytest.mark.parametrize("name", EXERCISES)
def test_every_mistake_gets_its_own_diagnosis(name: str) -> None:
    exercise = EXERCISES[name]
    names = [misconception.name for misconception in exercise.misconceptions]
    assert [judge(exercise, m.wrong).diagnosis for m in exercise.misconceptions] == names
    assert len({m.explanation for m in exercise.misconceptions}) > len(names) / 2


@pytest.mark.parametrize("name", sorted(DIAGNOSES))
def test_wrong_code_written_apart_fails_with_the_right_message_or_an_honest_unknown(name: str) -> None:
    functions = attempts(name)
    assert len(functions) >= 12 and functions.keys() == DIAGNOSES[name].keys()
    results = {attempt: judge(EXERCISES[name], function) for attempt, function in functions.items()}
    assert [attempt for attempt, result in results.items() if result.passed] == []
    assert {attempt: result.diagnosis for attempt, result in results.items()} == DIAGNOSES[name]


def test_the_main_exercises_all_have_attempts_written_apart() -> None:
    main = {"softmax", "log_softmax", "nll", "cross_entropy", "cross_entropy_gradient", "group_lrs", "freeze", "fine_tune"}
    assert main | {"label_of", "grouped_split", "collate", "rotation", "error_rate"} <= DIAGNOSES.keys()


def test_a_notebook_that_checks_a_function_imports_what_the_message_names() -> None:
    """`check` says "hint(seal) takes you on", so `hint` must be there, and `solution` after it."""
    checking = [path for path in find_notebooks() if "import check, " in path.read_text("utf-8")]
    assert len(checking) > 14
    assert [path.name for path in checking if "import check, hint, solution, solved" not in path.read_text("utf-8")] == []


@pytest.mark.parametrize("name", EXERCISES)
def test_every_explanation_is_short_and_the_solution_is_the_function_asked_for(name: str) -> None:
    exercise = EXERCISES[name]
    for misconception in exercise.misconceptions:
        assert 10 < len(misconception.explanation) < 260, misconception.name
    assert f"def {name}(" in source_of(exercise) and len(source_of(exercise).splitlines()) < 17


# ---- rules that hold for every exercise

HALF = Exercise(
    name="half",
    lesson="00",
    reference=lambda x: x / 2,
    probes=[
        Probe("a number", lambda: (torch.tensor([4.0]),)),
        Probe("a gradient", lambda: (torch.tensor([4.0]),), gradient=True),
    ],
    misconceptions=[Misconception("minus-two", lambda x: x - 2, "This subtracts 2.")],
    hints=("Divide.", "x / ..."),
    forbidden=("div",),
)


def with_docstring(x):
    """Not written yet."""
    ...


def half_written(x):
    two = ...
    return x / two


def in_place(x):
    x *= 0.5
    return x


@pytest.mark.parametrize(
    ("answer", "diagnosis"),
    [
        (with_docstring, "not-attempted"),
        (half_written, "not-attempted"),
        (lambda x: ..., "not-attempted"),
        (lambda x: None, "not-attempted"),
        (lambda x: print(end=""), "returned-nothing"),
        (in_place, "changed-input"),
        (lambda x: torch.div(x, 2), "forbidden-call"),
        (lambda x: x.div(2), "forbidden-call"),
        (lambda x: x[None] * 0.5, "wrong-shape"),
        (lambda x: x.double() * 0.5, "wrong-dtype"),
        (lambda x: [2.0], "wrong-type"),
        (lambda x: x.detach() * 0.5, "broken-autograd"),
        (lambda x: torch.tensor([2.0]), "broken-autograd"),
        (lambda x: 1 / 0, "raised"),
        (lambda: 1, "raised"),
        (lambda x: x - 2, "minus-two"),
        (lambda x: x - 1, "unknown"),
        (3, "not-a-function"),
        (losses.softmax, "forbidden-call"),
    ],
)
def test_a_broken_rule_has_a_name(answer, diagnosis: str) -> None:
    result = judge(HALF, answer)
    assert (result.passed, result.diagnosis) == (False, diagnosis)
    assert result.message.startswith("half: not yet.")


def test_the_message_shows_input_yours_expected_and_why_in_that_order() -> None:
    message = judge(HALF, lambda x: x - 2 if x > 4 else x - 1).message
    assert message.splitlines() == [
        "half: not yet.",
        "With a number (input 1 of 2):",
        "  half(tensor([4.0]))",
        "  at [0]: yours 3, expected 2",
        "We can't name this mistake. hint(half) takes you on.",
    ]
    assert judge(HALF, lambda x: x - 2).message.splitlines()[-1] == "This subtracts 2."


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (lambda x: [2.0], "Another kind of value is asked for"),
        (lambda x: x[None] * 0.5, "Print the shape after each step"),
        (lambda x: x.double() * 0.5, "The numbers are of another type"),
        (lambda x: print(end=""), "Is a `return` missing, perhaps on the path where an `if` is false?"),
    ],
)
def test_a_fault_that_no_known_mistake_explains_ends_with_advice(answer, advice: str) -> None:
    assert advice in judge(HALF, answer).message.splitlines()[-1]


def test_a_list_of_another_length_and_a_name_without_a_value_get_advice() -> None:
    pair = dataclasses.replace(HALF, reference=lambda x: [x, x], probes=HALF.probes[:1])
    assert "too many entries or too few" in judge(pair, lambda x: [x]).message

    def read_too_early(x):
        best = 1.0

        def inner():
            if x > best:
                best = x  # noqa: F841
            return best

        return inner()

    shown = judge(HALF, read_too_early)
    assert shown.diagnosis == "raised" and "`nonlocal`" in shown.message.splitlines()[-1]
    assert judge(HALF, lambda x: 1 / 0).message.splitlines()[-1].startswith("  in line ")


def test_a_forbidden_function_is_named_as_the_learner_knows_it() -> None:
    exercise = dataclasses.replace(HALF, forbidden={"div": "own division"})
    assert "  It calls torch's own division." in judge(exercise, lambda x: x.div(2)).message.splitlines()
    (called,) = [line for line in judge(HALF, lambda x: x.div(2)).message.splitlines() if "calls" in line]
    assert called == "  It calls torch's div."


def test_a_known_mistake_goes_before_the_rule_about_returning_nothing() -> None:
    forgot = Misconception("printed", lambda x: None, "You print the result. Return it.")
    exercise = dataclasses.replace(HALF, misconceptions=[forgot])
    assert judge(exercise, lambda x: print(end="")).diagnosis == "printed"
    assert judge(exercise, lambda x: None if x > 3 else x / 2).diagnosis == "printed"
    assert judge(HALF, lambda x: print(end="")).diagnosis == "returned-nothing"


def test_an_answer_of_none_is_not_the_error_that_another_mistake_raises() -> None:
    def ask(function, x):
        return float(function(x))

    raises = Misconception("raises", lambda x: float(None), "This raises.")
    exercise = dataclasses.replace(HALF, ask=ask, reference=lambda x: x / 2, probes=HALF.probes[:1], misconceptions=[raises])
    assert judge(exercise, lambda x: print(end="")).diagnosis == "returned-nothing"
    assert judge(exercise, lambda x: float(None)).diagnosis == "raises"


def test_the_call_is_shown_as_the_learner_knows_it() -> None:
    def shown(x, **options):
        return f"half(a tensor of {len(x)})"

    assert "  half(a tensor of 1)" in judge(dataclasses.replace(HALF, shown=shown), lambda x: x).message.splitlines()


def test_decimals_in_lists_are_shown_with_four_digits() -> None:
    assert describe_value([0.00193069772888325, 4.0, (1e-07, 123.456789), math.nan]) == "[0.001931, 4.0, (1e-07, 123.4568), nan]"
    assert describe_value({"a": 1}) == "{'a': 1}" and describe_value(torch.tensor([0.000123456])) == "tensor([0.0001235])"


def test_wrong_facts_go_before_missing_ones() -> None:
    assert compare({"a": 1}, {"a": 2, "b": 3}).text == "a: yours 1, expected 2"
    assert compare({"a": 2}, {"a": 2, "b": 3}).kind == "keys"
    assert compare({"b": 3, "c": 1}, {"b": 3}).kind == "keys"


def facts(function, *numbers):
    """What a function says about each number: its kind, its first value, its last value."""
    found = [function(number) for number in numbers]
    return {"kind": type(found[0]).__name__, "first": float(found[0]), "last": float(found[-1])}


def first_wrong_fact(*mistakes: Callable[[float], float]) -> Exercise:
    """Doubling, asked for its facts, with these mistakes in its catalogue."""
    return Exercise(
        name="double",
        lesson="00",
        reference=lambda x: 2 * x,
        ask=facts,
        probes=[Probe("two", lambda: (2.0, 2.0)), Probe("more", lambda: (3.0, 1.0)), Probe("five", lambda: (5.0, 4.0))],
        misconceptions=[Misconception(f"mistake {i}", wrong, f"Text number {i}.") for i, wrong in enumerate(mistakes)],
        hints=("Twice.", "2 * x"),
    )


def test_of_two_mistakes_at_once_the_one_behind_the_first_wrong_fact_is_named() -> None:
    in_text, squared, one_more = (lambda x: str(2 * x)), (lambda x: x * x), (lambda x: 2 * x + 1)
    both = first_wrong_fact(in_text, squared)
    assert judge(both, lambda x: str(x * x)).diagnosis == "mistake 0"
    assert judge(both, lambda x: str(x * x) if x < 4 else x * x).diagnosis == "unknown"  # not on the later input
    assert judge(first_wrong_fact(in_text, lambda x: str(7 * x)), lambda x: str(x * x)).diagnosis == "unknown"  # two
    assert judge(first_wrong_fact(lambda x: int(2 * x)), lambda x: str(x * x)).diagnosis == "unknown"  # another value
    # here the learner is right on the first input, and the mistake isn't
    assert judge(first_wrong_fact(one_more), lambda x: 2 * x if x == 2 else 2 * x + 1 + (x < 2)).diagnosis == "unknown"
    # the same wrong fact, but the mistake gets an earlier one wrong as well
    assert judge(first_wrong_fact(lambda x: str(3 * x)), lambda x: 3 * x).diagnosis == "unknown"
    # a forgotten return isn't another wrong return
    nothing = dataclasses.replace(first_wrong_fact(in_text), ask=lambda function, x, y: {"kind": bool(function(x)), "x": x})
    wrong_kind = dataclasses.replace(nothing, misconceptions=[Misconception("empty", lambda x: "", "Empty.")])
    assert judge(wrong_kind, lambda x: print(end="")).diagnosis == "returned-nothing"
    # alike on all inputs but the first
    assert judge(first_wrong_fact(in_text), lambda x: str(x * x) if x != 2 else b"4").diagnosis == "unknown"
    # one input later: the first value is wrong in both, the last one in the learner's only
    assert judge(first_wrong_fact(squared), lambda x: x * x if x != 1 else 0.5).diagnosis == "mistake 0"


def test_a_function_that_changes_what_its_probes_share_is_found_and_spoils_no_later_check() -> None:
    shared = torch.tensor([4.0, 2.0])
    exercise = Exercise(
        name="half",
        lesson="00",
        reference=lambda x: x / 2,
        probes=[Probe("one tensor for all calls", lambda: (shared,))],
        misconceptions=[Misconception("minus-two", lambda x: x - 2, "This subtracts 2.")],
        hints=("Divide.", "x / ..."),
    )
    assert judge(exercise, in_place).diagnosis == "changed-input"
    assert judge(exercise, lambda x: x - 2).diagnosis == "minus-two"
    assert judge(exercise, lambda x: x / 2).passed and shared.tolist() == [4.0, 2.0]


def test_our_own_functions_are_asked_once() -> None:
    asked: list[float] = []

    def wrong(x: torch.Tensor) -> torch.Tensor:
        asked.append(x.item())
        return x - 2

    exercise = Exercise(
        name="half",
        lesson="00",
        reference=lambda x: x / 2,
        probes=[Probe("a number", lambda: (torch.tensor(8.0),))],
        misconceptions=[Misconception("minus-two", wrong, "This subtracts 2.")],
        hints=("Divide.", "x / ..."),
    )
    assert [judge(exercise, lambda x, k=k: x - k).diagnosis for k in (1, 2, 3)] == ["unknown", "minus-two", "unknown"]
    assert asked == [8.0]


def test_an_error_says_in_which_line_and_only_the_failing_input_s_prints_are_shown(capsys) -> None:
    def fails_later(x):
        print("seen", tuple(x.shape))
        if x.requires_grad:
            x.view(7, 7)
        return x * 0.5

    message = judge(HALF, fails_later).message
    assert re.search(r"yours raises RuntimeError: .*\n  in line \d+: x\.view\(7, 7\)\n  yours prints seen \(1,\)\n?$", message)
    assert capsys.readouterr().out == ""
    assert "..." in judge(HALF, lambda x: [print(k) for k in range(9)]).message


def test_nothing_is_broadcast_to_make_it_fit() -> None:
    assert judge(HALF, lambda x: (x * 0.5).expand(3)).diagnosis == "wrong-shape"
    assert judge(HALF, lambda x: (x * 0.5).sum()).diagnosis == "wrong-shape"


@pytest.mark.parametrize("name", ["grouped_split", "epoch_batches", "stratified_split"])
def test_what_was_drawn_before_a_check_does_not_change_its_verdict(name: str) -> None:
    """A learner tries a function that seeds a global generator, and then checks it: the seed is still noticed."""
    wrong = {m.name: m.wrong for m in EXERCISES[name].misconceptions if m.name.startswith("global-")}
    assert wrong
    for diagnosis, function in wrong.items():
        for probe in EXERCISES[name].probes:
            function(*probe.arguments())
            fresh = dataclasses.replace(EXERCISES[name])  # has remembered no answers
            result = judge(fresh, function)
            assert result.diagnosis == diagnosis, result.message


def test_the_checker_leaves_the_random_generators_as_they_were() -> None:
    before = torch.get_rng_state()
    judge(HALF, lambda x: torch.rand(1))
    assert torch.equal(torch.get_rng_state(), before)


# ---- check, hint, solution, solved


def wrong_softmax(x, dim=-1):
    return x.exp() / x.exp().sum(dim, keepdim=True)


wrong_softmax.__name__ = "softmax"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of learner copies, in which the learner works."""
    (tmp_path / ".copies.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_stands_in_for_a_wrong_function_is_ours_and_is_never_checked_in_its_place(course: Path, capsys) -> None:
    assert check(wrong_softmax).diagnosis == "overflow"
    softmax = solved(wrong_softmax)
    assert torch.equal(softmax(torch.zeros(2)), torch.tensor([0.5, 0.5]))
    assert check(softmax).diagnosis == "overflow" and not read_record("softmax").passed
    hint(softmax), hint(softmax)
    assert "logits of 1000" in capsys.readouterr().out
    assert solved(softmax)(torch.tensor([1000.0, 0.0])).tolist() == [1.0, 0.0]


def test_a_right_function_goes_on_as_it_is(course: Path) -> None:
    def nll(log_probs, targets):
        return -log_probs[range(len(targets)), targets].mean()

    assert check(nll).passed and solved(nll) is nll and read_record("nll").passed


def test_hints_go_from_a_nudge_over_the_counterexample_to_nearly_the_code_and_begin_again(course: Path, capsys) -> None:
    for _ in range(4):
        hint(wrong_softmax)
    shown = capsys.readouterr().out
    exercise = EXERCISES["softmax"]
    places = [shown.index(text) for text in (exercise.hints[0], "logits of 1000", exercise.hints[1])]
    assert places == sorted(places) and shown.count(exercise.hints[0]) == 2
    assert "Hint 3 of 3, the last" in shown


def test_the_second_hint_for_a_stub_shows_the_first_input_with_the_right_answer(course: Path, capsys) -> None:
    def softmax(x, dim=-1): ...

    hint(softmax), hint(softmax)
    assert "two rows of three" in (shown := capsys.readouterr().out) and "Nothing is written" not in shown
    assert "  expected: tensor([[0.04201, 0.1142, 0.8438], [0.4223, 0.1554, 0.4223]])" in shown.splitlines()

    def evaluate(model, batches, metric): ...

    hint(evaluate), hint(evaluate)
    assert "    mode afterwards: 'training'" in capsys.readouterr().out.splitlines()

    raises = dataclasses.replace(HALF, reference=lambda x: 1 / 0)
    assert example_of(raises).splitlines()[-1] == "  expected: a ZeroDivisionError"


def test_the_solution_opens_after_three_tries_or_a_pass_or_at_once_if_asked(course: Path, capsys) -> None:
    def shown(**options: bool) -> str:
        solution(wrong_softmax, **options)
        return capsys.readouterr().out

    assert "3 more tries" in shown() and "def softmax(" in shown(reveal=True)
    for left in ("2 more tries", "1 more try"):
        check(wrong_softmax)
        capsys.readouterr()
        assert left in shown() and "def softmax(" not in shown()
    check(wrong_softmax)
    assert "def softmax(" in shown()


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_that_is_shown_is_code_that_runs(name: str) -> None:
    compile(source_of(EXERCISES[name]), "<solution>", "exec")


def test_a_stub_counts_as_no_try(course: Path) -> None:
    def softmax(x, dim=-1): ...

    assert check(softmax).diagnosis == "not-attempted" and read_record("softmax") == Record()


def test_an_unknown_name_is_said_with_the_nearest_one_and_never_raises(course: Path, capsys) -> None:
    def sofmax(x): ...

    assert check(sofmax).diagnosis == "no-exercise"
    assert "Did you mean softmax?" in capsys.readouterr().out
    hint(sofmax), solution(sofmax)
    assert check(3).diagnosis == "no-exercise" and check(None).diagnosis == "no-exercise"
    with pytest.raises(KeyError, match="Did you mean softmax"):
        solved(sofmax)


def test_a_verdict_is_shown_once(course: Path, capsys) -> None:
    result = check(wrong_softmax)
    assert capsys.readouterr().out.count("not yet") == 1
    result._ipython_display_()  # what IPython does with the last value of a cell
    assert capsys.readouterr().out == ""


def test_another_name_can_be_said(course: Path) -> None:
    assert check(EXERCISES["softmax"].accepted[0], "softmax").passed


def test_outside_a_course_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check(wrong_softmax), hint(wrong_softmax)
    assert list(tmp_path.iterdir()) == []


# ---- quizzes


def test_a_quiz_has_an_answer_for_every_choice_and_no_script() -> None:
    shown = quiz([Question("2 < 3?", right="yes", because="It is.", wrong={"no": "`2` is *less*."})])
    page = shown._repr_html_()
    assert page.count("<details") == 2 and "<script" not in page and "2 &lt; 3?" in page
    assert "<code>2</code> is <em>less</em>." in page
    assert str(shown).splitlines()[-2:] == ["1a) No. `2` is *less*.", "1b) Right. It is."]


@pytest.mark.parametrize("wrong", [{}, {"yes": "?"}])
def test_a_question_without_a_choice_is_refused(wrong: dict) -> None:
    with pytest.raises(DataError, match="2 < 3"):
        quiz([Question("2 < 3?", right="yes", because="It is.", wrong=wrong)])
