"""A network as one file: read back, it answers the same for any number of images, or it is not kept."""

import json

import pytest
import torch

from dlbook.recipes.run import export as module
from dlbook.recipes.run.build import build
from dlbook.recipes.run.export import export_run
from dlbook.recipes.run.network import open_network
from dlbook.recipes.run.train import train
from dlbook.train import checkpoint
from tests.recipes.run.small_run import config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    train(build(config(folder, "model.normalise=half", "trainer.epochs=1")))
    return folder / "run"


@pytest.fixture(scope="module")
def done(folder):
    return export_run(folder, folder / "network.pt2")


def test_the_file_holds_all_and_needs_torch_alone(folder, done):
    told = {"classes": "", "preparation": ""}
    program, network = torch.export.load(done.file, extra_files=told), open_network(folder, "cpu")
    images = torch.full((5, 1, 28, 28), 0.3)
    with torch.no_grad():
        torch.testing.assert_close(program.module()(images), network.model(images))
    called = [node.target for node in program.graph.nodes if node.op == "call_function"]
    homes = {getattr(target, "namespace", getattr(target, "__module__", "")) for target in called}
    assert "aten" in homes and not any("dlbook" in home for home in homes)
    assert json.loads(told["classes"]) == list(network.classes)
    assert json.loads(told["preparation"]) == {"in_channels": 1, "resize": 28, "size": [28, 28]}


def test_the_checkpoint_that_was_asked_for_is_written(tmp_path):
    setup = build(config(tmp_path, "optimizer.lr=0.5", "trainer.epochs=3"))
    train(setup)
    images = torch.full((2, 1, 28, 28), 0.3)
    run = tmp_path / "run"
    other = checkpoint.load(run / "checkpoints/step-00000018.ckpt")
    other["trainer"]["method"] = {name: 2 * value for name, value in other["trainer"]["method"].items()}
    checkpoint.save(run / "checkpoints/step-00000018.ckpt", other)
    for which in ("best", "last"):
        program = torch.export.load(export_run(run, tmp_path / f"{which}.pt2", which).file)
        expected = open_network(run, "cpu", which).model(images)
        torch.testing.assert_close(program.module()(images), expected)
    assert (tmp_path / "best.pt2").read_bytes() != (tmp_path / "last.pt2").read_bytes()
    assert not torch.allclose(expected, open_network(run, "cpu").model(images))


def test_a_file_that_cannot_be_written_is_told_before_the_network_is_read(folder, tmp_path, monkeypatch):
    with pytest.raises(
        ValueError, match="none/a.pt2: expected a file in a folder, got no folder .*none; make"
    ):
        export_run(tmp_path / "no run", tmp_path / "none/a.pt2")

    def forbidden(*given):
        raise PermissionError(13, "Permission denied", "a.pt2")

    monkeypatch.setattr(module, "write_whole", forbidden)
    with pytest.raises(ValueError, match=r"a.pt2: expected .*\(a.pt2: Permission denied\); name a file else"):
        export_run(folder, tmp_path / "a.pt2")


def test_what_was_compared_is_told(done, folder):
    assert (done.takes, done.gives, done.by) == ("images [N, 1, 28, 28]", "logits [N, 10]", "torch.export")
    assert done.difference < 1e-5 < done.largest and done.file == folder / "network.pt2"


def test_a_file_with_other_answers_is_not_kept(folder, tmp_path, monkeypatch):
    right = module._write_pt2

    def wrong(program, path, network):
        name, answer = right(program, path, network)
        return name, lambda images: answer(images) + (len(images) == 3) * 0.01

    monkeypatch.setattr(module, "_write_pt2", wrong)
    with pytest.raises(ValueError, match="expected the answers of the network, got others .* 0.01 away"):
        export_run(folder, tmp_path / "a.pt2")
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_told_before_anything_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    told = r"no onnx and no onnxscript; .* `pip install onnx onnxscript`, or export to .*network.pt2"
    with pytest.raises(ModuleNotFoundError, match=told):
        export_run(tmp_path)
    with pytest.raises(ValueError, match="train it first"):
        export_run(tmp_path, "a.pt2")


def test_a_network_that_cannot_be_exported_is_told():
    class Depends(torch.nn.Module):
        def forward(self, images):
            return images * 2 if images.sum() > 0 else images

    with pytest.raises(ValueError, match="expected a network that torch.export takes, got Depends"):
        module._exported(Depends(), torch.rand(2, 1))


@pytest.mark.parametrize(("size", "side"), [((7, 7), (3, 3)), ((11, 8), (3, 5)), ((4, 4), (4, 2))])
def test_adaptive_pooling_is_written_as_what_onnx_has(size, side):
    images = torch.randn(2, 3, *size)
    program = module.known_to_onnx(module._exported(torch.nn.AdaptiveMaxPool2d(side), images))
    assert not any("adaptive" in str(node.target) for node in program.graph.nodes)
    more = torch.randn(5, 3, *size)
    assert torch.equal(program.module()(more), torch.nn.functional.adaptive_max_pool2d(more, side))


def test_onnx_answers_the_same(folder, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    found = export_run(folder, tmp_path / "network.onnx")
    assert found.difference < 1e-4 * found.largest and found.by.startswith("onnx")
    model = onnx.load(found.file)
    told = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert told["classes"] == list(open_network(folder, "cpu").classes)
    assert told["preparation"]["size"] == [28, 28]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param  # any number of images
