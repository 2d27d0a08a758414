// Nothing: this file makes CMake compile the headers that most tests include (vit_test_headers).
