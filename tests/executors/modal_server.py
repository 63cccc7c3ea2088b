"""A server of our own that Modal's client talks to, on loopback.

It keeps apps, images, mounts, functions and a volume as far as our executor has need of them, and
computes inputs in processes that run Modal's own code for containers: each has the files that the
client has sent as its image and mounts have them, and of this project nothing else. A call that it
does not know is refused by name and noted.
"""

# ruff: noqa: N802 - calls have the names of the protocol

import asyncio
import contextlib
import hashlib
import itertools
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import ChainMap
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from google.protobuf import empty_pb2
from grpclib import GRPCError, Status
from grpclib.server import Server
from modal_proto import api_pb2 as api
from modal_proto.api_grpc import ModalClientBase

BUILDER = "2025.06"
TOKEN = ("ak-tests", "as-tests")
DONE = api.GenericResult.GENERIC_STATUS_SUCCESS
FAILED = api.GenericResult.GENERIC_STATUS_FAILURE
ENDED = api.GenericResult.GENERIC_STATUS_TERMINATED
DIED = api.GenericResult.GENERIC_STATUS_INTERNAL_FAILURE


class Image:
    """What an image adds to those that it is built from: variables, and files."""

    def __init__(self, definition, known):
        bases = [known[each.image_id] for each in definition.base_images]
        self.commands = [line for each in bases for line in each.commands]
        self.commands += definition.dockerfile_commands
        self.mounts = {mount for each in bases for mount in each.mounts}
        if definition.context_mount_id:
            self.mounts.add(definition.context_mount_id)
        variables = [shlex.split(line)[1] for line in self.commands if line.startswith("ENV ")]
        self.environment = dict(each.split("=", 1) for each in variables)


class Container:
    """A process that computes inputs of one function, one after another, by Modal's own code.

    Parameters
    ----------
    name
        What its calls name in place of the function.
    """

    def __init__(self, name, function, folder):
        self.inputs = asyncio.Queue()
        layout = api.AppLayout(function_ids={function.definition.function_name: name})
        arguments = api.ContainerArguments(
            task_id=f"ta-{name}",
            function_id=name,
            app_id=function.app_id,
            function_def=function.definition,
            app_layout=layout,
        )
        file = folder / name
        file.write_bytes(arguments.SerializeToString())
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "modal._container_entrypoint"],
            cwd=function.root / "root",
            env=function.environment | {"MODAL_CONTAINER_ARGUMENTS_PATH": str(file)},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def compute(self, call, args, result):
        """Return the result of an input, a future that calls of the container settle."""
        item = api.FunctionInput(args=args, data_format=api.DATA_FORMAT_PICKLE)
        self.inputs.put_nowait(
            api.FunctionGetInputsItem(input_id=f"in-{call}", function_call_id=call, input=item)
        )
        ended = asyncio.ensure_future(asyncio.to_thread(self.process.wait))
        await asyncio.wait({result, ended}, return_when=asyncio.FIRST_COMPLETED)
        if result.done():
            return result.result()
        return api.GenericResult(status=DIED, exception="Container terminated.")

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def ended(self):
        return self.process.poll() is not None


class Function:
    """A function of an app, with its containers."""

    def __init__(self, name, created, folder, root, environment):
        self.name = name
        self.app_id = created.app_id
        self.definition = created.function
        self.folder = folder
        self.root = root
        self.environment = environment
        self.containers = {}
        self.ended = False
        self.free = asyncio.LifoQueue()  # one that has computed before one that has not begun
        for _ in range(self.definition.autoscaler_settings.max_containers or 1):
            self.free.put_nowait(None)  # a container that can be started

    async def compute(self, call, args, result, *, kills):
        """Return the result of an input, once a container is free for it."""
        container = await self.free.get()
        if self.ended:
            return api.GenericResult(status=ENDED, exception="App stopped.")
        try:
            if container is None or container.ended:
                name = f"{self.name}.{len(self.containers)}"
                container = self.containers[name] = Container(name, self, self.folder)
            if kills:
                container.end()
            return await container.compute(call, args, result)
        finally:
            self.free.put_nowait(container)

    @property
    def containers_alive(self):
        return [each for each in self.containers.values() if not each.ended]

    def end(self):
        self.ended = True
        for each in list(self.containers.values()):
            each.end()


class Servicer(ModalClientBase):
    """What is kept, and the calls that are known."""

    def __init__(self, folder, roots):
        self.folder = folder
        self.roots = roots
        self.url = self.files_url = ""
        self.unknown = []
        self.removed = []
        self.kills = False  # every container that has begun with an input
        self.apps = {}
        self.ended_apps = []
        self.images = {}
        self.contents = {}
        self.mounts = {}
        self.functions = {}
        self.volumes = {}
        self.calls = {}
        self.results = {}
        self.ids = map(str, itertools.count(1))

    async def ClientHello(self, stream):
        await stream.send_message(api.ClientHelloResponse())

    async def EnvironmentGetOrCreate(self, stream):
        settings = api.EnvironmentSettings(image_builder_version=BUILDER)
        metadata = api.EnvironmentMetadata(name="main", settings=settings)
        await stream.send_message(
            api.EnvironmentGetOrCreateResponse(environment_id="en-1", metadata=metadata)
        )

    async def AppCreate(self, stream):
        if stream.metadata["x-modal-token-id"] != TOKEN[0]:
            raise GRPCError(Status.UNAUTHENTICATED, "Token ID not found")
        request = await stream.recv_message()
        name = f"ap-{next(self.ids)}"
        self.apps[name] = request.description
        await stream.send_message(api.AppCreateResponse(app_id=name))

    async def AppPublish(self, stream):
        await stream.send_message(api.AppPublishResponse())

    async def AppHeartbeat(self, stream):
        await stream.send_message(empty_pb2.Empty())

    async def AppClientDisconnect(self, stream):
        request = await stream.recv_message()
        self.end_app(request.app_id)
        await stream.send_message(empty_pb2.Empty())

    def end_app(self, name):
        self.ended_apps.append(self.apps.pop(name))
        for function in list(self.functions.values()):
            if function.app_id == name:
                function.end()

    def end_containers(self):
        """Have all containers die, as machines do."""
        for function in list(self.functions.values()):
            for each in list(function.containers.values()):
                each.end()

    async def MountBatchedCheckExistence(self, stream):
        request = await stream.recv_message()
        missing = [each for each in request.sha256_hex_hashes if each not in self.contents]
        await stream.send_message(
            api.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)
        )

    async def MountPutFile(self, stream):
        request = await stream.recv_message()
        assert hashlib.sha256(request.data).hexdigest() == request.sha256_hex
        self.contents[request.sha256_hex] = request.data
        await stream.send_message(api.MountPutFileResponse(exists=True))

    async def MountGetOrCreate(self, stream):
        request = await stream.recv_message()
        name = f"mo-{next(self.ids)}"
        self.mounts[name] = {each.filename: each.sha256_hex for each in request.files}
        await stream.send_message(api.MountGetOrCreateResponse(mount_id=name))

    async def ImageGetOrCreate(self, stream):
        request = await stream.recv_message()
        name = f"im-{next(self.ids)}"
        self.images[name] = Image(request.image, self.images)
        await stream.send_message(
            api.ImageGetOrCreateResponse(
                image_id=name,
                result=api.GenericResult(status=DONE),
                metadata=api.ImageMetadata(image_builder_version=BUILDER),
            )
        )

    async def VolumeGetOrCreate(self, stream):
        name = f"vo-{next(self.ids)}"
        await stream.send_message(
            api.VolumeGetOrCreateResponse(
                volume_id=name, metadata=api.VolumeMetadata(version=api.VOLUME_FS_VERSION_V2)
            )
        )

    async def VolumeHeartbeat(self, stream):
        await stream.send_message(empty_pb2.Empty())

    async def VolumeCommit(self, stream):
        request = await stream.recv_message()
        assert request.volume_id in self.volumes
        await stream.send_message(api.VolumeCommitResponse(skip_reload=True))

    async def VolumeGetFile2(self, stream):
        request = await stream.recv_message()
        size = (self.volumes[request.volume_id] / request.path).stat().st_size
        url = f"{self.files_url}{self.volumes[request.volume_id] / request.path}"
        await stream.send_message(
            api.VolumeGetFile2Response(get_urls=[url], size=size, start=0, len=size)
        )

    async def VolumeRemoveFile2(self, stream):
        request = await stream.recv_message()
        file = self.volumes[request.volume_id] / request.path
        file.unlink()
        self.removed.append(file)
        await stream.send_message(empty_pb2.Empty())

    async def FunctionPrecreate(self, stream):
        request = await stream.recv_message()
        await stream.send_message(
            api.FunctionPrecreateResponse(
                function_id=f"fu-{next(self.ids)}",
                handle_metadata=api.FunctionHandleMetadata(
                    function_name=request.function_name, function_type=request.function_type
                ),
            )
        )

    async def FunctionCreate(self, stream):
        request = await stream.recv_message()
        name, definition = request.existing_function_id, request.function
        self.volumes |= {each.volume_id: Path(each.mount_path) for each in definition.volume_mounts}
        image = self.images[definition.image_id]
        mounts = [self.mounts[each] for each in {*image.mounts, *definition.mount_ids}]
        root = await asyncio.to_thread(self.written, dict(ChainMap(*mounts)))
        environment = self.environment(root) | image.environment
        self.functions[name] = Function(name, request, self.folder, root, environment)
        ranked = api.FunctionData.RankedFunction(rank=0, function=definition)
        await stream.send_message(
            api.FunctionCreateResponse(
                function_id=name,
                function=definition,
                function_data=api.FunctionData(ranked_functions=[ranked]),
                handle_metadata=api.FunctionHandleMetadata(
                    function_name=definition.function_name,
                    function_type=definition.function_type,
                ),
            )
        )

    def written(self, files):
        """Return a folder with these files, the same one whenever they are the same."""
        root = self.roots / hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
        if not root.exists():
            made = Path(tempfile.mkdtemp(dir=self.roots))
            for filename, sha256 in files.items():
                file = made / filename.lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(self.contents[sha256])
            with contextlib.suppress(OSError):  # another server may have been faster
                made.rename(root)
        return root

    def environment(self, root):
        """Return what a container knows of this machine: no setting of bilancio."""
        known = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
        return {name: os.environ[name] for name in known if name in os.environ} | {
            "PYTHONPATH": str(root / "root"),
            "NUMBA_DISABLE_JIT": "1",  # the folder is new: it would be compiled for minutes
            "MODAL_IS_REMOTE": "1",
            "MODAL_SERVER_URL": self.url,
        }

    async def FunctionMap(self, stream):
        request = await stream.recv_message()
        call = f"fc-{next(self.ids)}"
        (item,) = request.pipelined_inputs
        function = self.functions[request.function_id]
        self.results[call] = asyncio.get_running_loop().create_future()
        self.calls[call] = asyncio.create_task(
            function.compute(call, item.input.args, self.results[call], kills=self.kills)
        )
        pipelined = api.FunctionPutInputsResponseItem(idx=item.idx, input_id=f"in-{call}")
        await stream.send_message(
            api.FunctionMapResponse(function_call_id=call, pipelined_inputs=[pipelined])
        )

    async def ContainerHello(self, stream):
        await stream.send_message(empty_pb2.Empty())

    async def ContainerHeartbeat(self, stream):
        await stream.send_message(api.ContainerHeartbeatResponse())

    async def FunctionGetInputs(self, stream):
        request = await stream.recv_message()
        function = self.functions[request.function_id.rpartition(".")[0]]
        item = await function.containers[request.function_id].inputs.get()
        await stream.send_message(api.FunctionGetInputsResponse(inputs=[item]))

    async def FunctionPutOutputs(self, stream):
        request = await stream.recv_message()
        for each in request.outputs:
            self.results[each.input_id.removeprefix("in-")].set_result(each.result)
        await stream.send_message(empty_pb2.Empty())

    async def FunctionGetOutputs(self, stream):
        request = await stream.recv_message()
        call = self.calls[request.function_call_id]
        await asyncio.wait([call], timeout=request.timeout)
        outputs = []
        if call.done():
            outputs.append(
                api.FunctionGetOutputsItem(
                    result=call.result(), idx=0, data_format=api.DATA_FORMAT_PICKLE
                )
            )
        await stream.send_message(
            api.FunctionGetOutputsResponse(outputs=outputs, num_unfinished_inputs=1 - len(outputs))
        )


def _refusing(name):
    async def refuse(servicer, stream):
        servicer.unknown.append(name)
        message = f"{name} is not known to the server of the tests"
        raise GRPCError(Status.UNIMPLEMENTED, message)

    return refuse


for _name in Servicer.__abstractmethods__:
    setattr(Servicer, _name, _refusing(_name))
Servicer.__abstractmethods__ = frozenset()


class _Files(SimpleHTTPRequestHandler):
    def translate_path(self, path):
        return path

    def log_message(self, *_):
        pass


class ModalServer:
    """A server in a thread.

    Parameters
    ----------
    folder
        Its own.
    roots
        Of the files of containers; other servers may use it, too.

    Attributes
    ----------
    url
        Where it listens.
    servicer
        What it has been asked for.
    """

    def __init__(self, folder, roots):
        self.servicer = Servicer(folder, roots)
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._listening = threading.Event()
        self._files = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
        self.servicer.files_url = f"http://127.0.0.1:{self._files.server_port}"
        self._threads = [
            threading.Thread(target=self._files.serve_forever, daemon=True),
            threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),)),
        ]
        for each in self._threads:
            each.start()
        assert self._listening.wait(60)
        self.url = self.servicer.url

    async def _serve(self):
        server = Server([self.servicer])
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            await server.start(sock=listening)
            self.servicer.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self._listening.set()
            await self._ended.wait()
            for each in self.servicer.functions.values():
                each.end()
            await asyncio.gather(*self.servicer.calls.values(), return_exceptions=True)
            server.close()
            await server.wait_closed()

    def end(self):
        self._loop.call_soon_threadsafe(self._ended.set)
        self._files.shutdown()
        self._files.server_close()
        for each in self._threads:
            each.join(60)
        self._loop.close()
