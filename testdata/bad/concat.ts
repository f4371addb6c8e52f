ffconcat version 1.0
file '/etc/passwd'
