// A host of MCP Apps by the extension's own library: it shows the card in a frame of another origin.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

const frame = document.querySelector("iframe");
const context = { theme: document.body.dataset.theme, containerDimensions: { width: 480 } };
const bridge = new AppBridge(
  null, { name: "host", version: "1" }, { serverTools: {} }, { hostContext: context },
);
const ready = new Promise((resolve) => (bridge.oninitialized = resolve));
bridge.oncalltool = (params) => window.callTool(params.name, params.arguments);
bridge.onsizechange = ({ height }) => (frame.style.height = `${height}px`);

window.hand = async (input, result) => {
  await ready;
  await bridge.sendToolInput({ arguments: input });
  await bridge.sendToolResult(result);
};
window.end = () => bridge.teardownResource({});

await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
frame.src = "https://card.example/";
