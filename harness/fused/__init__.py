"""One kernel for what would be a hundred operations of torch.

    operators.py  what an operator is: a path of torch's operations, and a kernel that takes its place on CUDA
    kernels.py    the kernels, in Triton
"""
