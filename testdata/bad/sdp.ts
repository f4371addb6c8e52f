v=0
o=- 0 0 IN IP4 127.0.0.1
s=x
t=0 0
m=audio 9 RTP/AVP 0
