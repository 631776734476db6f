s1
s2
s3
