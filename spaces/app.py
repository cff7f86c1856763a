"The page of seka as a Hugging Face Space: the default model on a CPU, and whoever comes waits in a queue"
from seka.page import make_room, serve

serve(make_room(), host='0.0.0.0', port=7860, users=2)
